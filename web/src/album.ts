// The pages of albums: codes to copy, the manage link, and arrow keys from picture to picture.
import { wireCopyButtons } from "./parts/copy";
import { wireZoom } from "./parts/zoom";

wireCopyButtons();
wireZoom();

// The album's secret link carries its token behind the #, which never reaches a server: it belongs to the manage page.
const manage = document.querySelector<HTMLAnchorElement>("a[data-manage]");
function goManage(): void {
  const token = location.hash.slice(1);
  if (manage && /^[\w-]{22}$/.test(token)) location.replace(`${manage.href}#${token}`);
}
addEventListener("hashchange", goManage);
goManage();

const STEPS: Record<string, string> = { ArrowLeft: "previous", ArrowRight: "next" };

addEventListener("keydown", (event) => {
  const step = STEPS[event.key];
  const busy = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented;
  if (!step || busy || (event.target as Element).closest("input, textarea, select, dialog")) return;
  const link = document.querySelector<HTMLAnchorElement>(`a[data-step="${step}"]`);
  if (!link) return;
  event.preventDefault();
  link.click();
});
