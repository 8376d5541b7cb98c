// How files get to the page: chosen, dropped anywhere (folders too), or pasted.

import { announce } from "../parts/announce";
import { isTextField } from "../parts/dom";
import { nameByTime } from "../parts/file-names";
import { t } from "../parts/messages";

export type Source = "files" | "folder";
export type FileHandler = (files: File[], from: Source) => void;

/** Pass chosen files to `handle`, also those that were chosen before this script came, and empty the picker each time. */
export function watchPicker(picker: HTMLInputElement, handle: FileHandler): void {
  const take = (): void => {
    const files = [...(picker.files ?? [])];
    picker.value = ""; // so that the same file can be chosen again
    if (files.length === 0) return;
    if (picker.webkitdirectory) void folders().then(({ inFolderOrder }) => handle(inFolderOrder(files), "folder"), sayUnreachable);
    else handle(files, "files");
  };
  picker.addEventListener("change", take);
  take();
}

export function watchPastes(handle: FileHandler): void {
  document.addEventListener("paste", (event) => {
    const { files = [], types = [] } = event.clipboardData ?? {};
    const isText = isTextField(event.target) && types.includes("text/plain"); // office programs add a picture of the text
    if (files.length === 0 || isText) return;
    event.preventDefault();
    handle([...files].map(nameByTime), "files");
  });
}

/** `zone` is shown while files are dragged over the page. */
export function watchDrops(zone: HTMLElement, handle: FileHandler): void {
  let depth = 0;
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
  const show = (inside: number): void => {
    depth = inside;
    zone.hidden = depth <= 0;
  };
  document.addEventListener("dragenter", (event) => hasFiles(event) && show(depth + 1));
  document.addEventListener("dragleave", (event) => hasFiles(event) && show(depth - 1));
  document.addEventListener("dragover", (event) => (hasFiles(event) || isLink(event)) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (isLink(event)) refuseLink(event);
    if (!event.dataTransfer || !hasFiles(event)) return;
    event.preventDefault();
    show(0);
    const { items, files } = event.dataTransfer; // empty as soon as this is over
    const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? []);
    if (!entries.some(({ isDirectory }) => isDirectory)) return handle([...files], "files");
    void folders().then(async ({ filesOf }) => handle(await filesOf(entries), "folder"), sayUnreachable);
  });
}

/** What reads folders, which few people drop. */
const folders = (): Promise<typeof import("./folders")> => import("./folders");

function sayUnreachable(): void {
  announce(t("The server can’t be reached. Check your connection and try again."), { staysMs: 8000 });
}

/** Whether an image or a link of another page is dragged: the browser would leave this page for it. */
function isLink({ dataTransfer, target }: DragEvent): boolean {
  const types = dataTransfer?.types ?? [];
  return types.includes("text/uri-list") && !types.includes("Files") && !isTextField(target);
}

function refuseLink(event: DragEvent): void {
  event.preventDefault();
  announce(t("That’s a link, not a file. Save the image on your device, then choose it here."), { staysMs: 8000 });
}
