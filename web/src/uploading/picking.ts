// The ways files come to the page: picked, dropped anywhere (folders too), or pasted.

export type Taker = (files: File[], from: "files" | "folder") => void;

/** Hand what comes by any way to `take`. `zone` is shown while something is dragged over the page. */
export function watchForFiles(picker: HTMLInputElement, zone: HTMLElement, take: Taker): void {
  watchPicker(picker, take);
  watchDrops(zone, take);
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    take(files.map(named), "files");
  });
}

/** Hand over what is picked, and leave the picker empty, so that the same file can be picked again. */
export function watchPicker(picker: HTMLInputElement, take: Taker): void {
  picker.addEventListener("change", () => {
    const files = [...(picker.files ?? [])];
    picker.value = "";
    if (files.length > 0) take(files, picker.webkitdirectory ? "folder" : "files");
  });
}

function watchDrops(zone: HTMLElement, take: Taker): void {
  let depth = 0;
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
  const show = (inside: number): void => {
    depth = inside;
    zone.hidden = depth <= 0;
  };
  document.addEventListener("dragenter", (event) => hasFiles(event) && show(depth + 1));
  document.addEventListener("dragleave", (event) => hasFiles(event) && show(depth - 1));
  document.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!event.dataTransfer || !hasFiles(event)) return;
    event.preventDefault();
    show(0);
    void dropped(event.dataTransfer).then(({ files, folder }) => take(files, folder ? "folder" : "files"));
  });
}

async function dropped(data: DataTransfer): Promise<{ files: File[]; folder: boolean }> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry());
  const loose = [...data.files];
  if (!entries.some((entry) => entry?.isDirectory)) return { files: loose, folder: false };
  const found = await Promise.all(entries.map((entry) => (entry ? filesIn(entry) : [])));
  return { files: found.flat(), folder: true };
}

async function filesIn(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    return [await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed))];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: File[] = [];
  for (;;) {
    // A folder's entries come in portions, and none when all have come.
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return found;
    for (const one of some) found.push(...(await filesIn(one)));
  }
}

/** A screenshot comes from the clipboard as image.png: the moment makes a better name. */
function named(file: File): File {
  if (!/^image\.\w+$/.test(file.name)) return file;
  const moment = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString();
  const stem = moment.slice(0, 19).replace("T", " ").replaceAll(":", ".");
  return new File([file], `${stem}.${file.name.split(".").pop()}`, { type: file.type });
}
