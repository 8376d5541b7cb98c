// The names of files that come without one.

/** Pasted screenshots are all called image.png: name them by the time instead. */
export function nameByTime(file: File): File {
  if (!/^image\.\w+$/.test(file.name)) return file;
  const moment = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString();
  const stem = moment.slice(0, 19).replace("T", " ").replaceAll(":", ".");
  return new File([file], `${stem}.${file.name.split(".").pop()}`, { type: file.type });
}
