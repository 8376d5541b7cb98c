// The viewer's entries in the browser's history: one for its opening, and one for each view that is entered in the address
// while it is open. Back goes through them and then closes the viewer; closing it leaves all of them at once.

/** How many of the viewer's entries lie between the page and the current entry; 0 on the page. */
const currentDepth = (): number => Number((history.state as { zoomed?: number | boolean } | null)?.zoomed ?? 0);

/** Going back takes a moment and would undo a click made meanwhile, so such a click waits until it is done. */
function goBack(steps: number): void {
  let pressed: HTMLElement | null = null;
  const hold = (event: MouseEvent): void => {
    pressed = (event.target as Element).closest<HTMLElement>("a[href], button");
    event.preventDefault();
    event.stopPropagation();
  };
  addEventListener("click", hold, true);
  const release = (): void => {
    removeEventListener("click", hold, true);
    pressed?.click();
  };
  addEventListener("popstate", release, { once: true });
  history.go(-steps);
}

export class ViewHistory {
  #depth = currentDepth();

  /** Add an entry, unless a reload or Forward has led to one. */
  enter(): void {
    if (this.#depth) return;
    const view = location.hash;
    history.replaceState(history.state, "", location.pathname + location.search);
    history.pushState({ zoomed: 1 }, "", view || null);
    this.#depth = 1;
  }

  /** Keep the view in the address of the current entry. */
  note(view: string): void {
    history.replaceState(history.state, "", view);
  }

  /** After Back, or after an address was entered: whether the current entry is the viewer's, as one with a view is. */
  follow(hasView: boolean): boolean {
    if (hasView && !currentDepth()) history.replaceState({ zoomed: this.#depth + 1 }, "");
    this.#depth = currentDepth();
    return this.#depth > 0;
  }

  leave(): void {
    if (this.#depth) goBack(this.#depth);
    this.#depth = 0;
  }
}
