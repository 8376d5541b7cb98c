// Files of folders: found however deep, in the order of their names, without what systems leave in folders.

const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
const SYSTEM_FILES = /^(\..*|__MACOSX|Thumbs\.db|ehthumbs\.db|desktop\.ini)$/i;

/** The files of a chosen folder, as a folder's window would list them: 2.jpg before 10.jpg. */
export function inFolderOrder(files: File[]): File[] {
  const visible = files.filter((file) => !file.webkitRelativePath.split("/").some(isSystemFile));
  return visible.sort((a, b) => byName.compare(a.webkitRelativePath, b.webkitRelativePath));
}

/** The files of what was dropped, folders or single files. */
export async function filesOf(dropped: FileSystemEntry[]): Promise<File[]> {
  return (await Promise.all(dropped.map(filesIn))).flat();
}

async function filesIn(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    return [await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed))];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const entries: FileSystemEntry[] = [];
  for (;;) {
    // A folder's entries come in batches; an empty one is the end.
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) break;
    entries.push(...some.filter(({ name }) => !isSystemFile(name)));
  }
  const found: File[] = [];
  for (const one of entries.sort((a, b) => byName.compare(a.name, b.name))) found.push(...(await filesIn(one)));
  return found;
}

const isSystemFile = (name: string): boolean => SYSTEM_FILES.test(name);
