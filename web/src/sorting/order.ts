// Sorting a list. The moved item stays where it is in the document and its neighbours move, so it keeps focus and pointer.

/** Move by one position; false at the end of the list. */
export function moveItem(item: HTMLLIElement, by: number): boolean {
  const neighbour = by < 0 ? item.previousElementSibling : item.nextElementSibling;
  if (!neighbour) return false;
  if (by < 0) item.after(neighbour);
  else item.before(neighbour);
  return true;
}

/** Set the form's numbers to the positions in the list. */
export function renumber(list: HTMLOListElement): void {
  [...list.querySelectorAll<HTMLInputElement>(".place input")].forEach((field, place) => {
    field.value = String(place + 1);
  });
}

export function slugsOf(list: HTMLOListElement): string[] {
  return [...list.querySelectorAll<HTMLLIElement>("li")].map((item) => item.dataset["slug"] ?? "");
}
