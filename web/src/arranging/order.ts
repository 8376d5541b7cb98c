// A list in its order. What is moved stays in the page while its neighbours pass it: so it keeps focus and pointer.

/** Move by one place; false where the list ends. */
export function moved(item: HTMLLIElement, by: number): boolean {
  const neighbour = by < 0 ? item.previousElementSibling : item.nextElementSibling;
  if (!neighbour) return false;
  if (by < 0) item.after(neighbour);
  else item.before(neighbour);
  return true;
}

/** The numbers of the form follow the list. */
export function numbered(list: HTMLOListElement): void {
  [...list.querySelectorAll<HTMLInputElement>(".place input")].forEach((field, place) => {
    field.value = String(place + 1);
  });
}

export function slugsOf(list: HTMLOListElement): string[] {
  return [...list.querySelectorAll<HTMLLIElement>("li")].map((item) => item.dataset["slug"] ?? "");
}
