// How files get to the page: chosen, dropped anywhere (folders too), or pasted.

export type FileHandler = (files: File[], from: "files" | "folder") => void;

/** Pass all files to `handle`. `zone` is shown while something is dragged over the page. */
export function watchForFiles(picker: HTMLInputElement, zone: HTMLElement, handle: FileHandler): void {
  watchPicker(picker, handle);
  watchDrops(zone, handle);
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    handle(files.map(nameByTime), "files");
  });
}

/** Pass chosen files to `handle`, and empty the picker so that the same file can be chosen again. */
export function watchPicker(picker: HTMLInputElement, handle: FileHandler): void {
  picker.addEventListener("change", () => {
    const files = [...(picker.files ?? [])];
    picker.value = "";
    if (files.length > 0) handle(files, picker.webkitdirectory ? "folder" : "files");
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
  document.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!event.dataTransfer || !hasFiles(event)) return;
    event.preventDefault();
    show(0);
    void dropped(event.dataTransfer).then(({ files, folder }) => handle(files, folder ? "folder" : "files"));
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
    // A folder's entries come in batches; an empty one is the end.
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return found;
    for (const one of some) found.push(...(await filesIn(one)));
  }
}

/** Pasted screenshots are all called image.png: name them by the time instead. */
function nameByTime(file: File): File {
  if (!/^image\.\w+$/.test(file.name)) return file;
  const moment = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString();
  const stem = moment.slice(0, 19).replace("T", " ").replaceAll(":", ".");
  return new File([file], `${stem}.${file.name.split(".").pop()}`, { type: file.type });
}
