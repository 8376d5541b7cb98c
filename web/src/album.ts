// The pages of an album: copy buttons, the manage link, and arrow keys from image to image.
import { wireCopyButtons } from "./parts/copy";
import { wireZoom } from "./parts/zoom";

wireCopyButtons();
wireZoom();

// A manage link has its token in the fragment, which browsers don't send: take it to the manage page.
const manage = document.querySelector<HTMLAnchorElement>("a[data-manage]");
function openManagePage(): void {
  const token = location.hash.slice(1);
  if (manage && /^[\w-]{22}$/.test(token)) location.replace(`${manage.href}#${token}`);
}
addEventListener("hashchange", openManagePage);
openManagePage();

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
