// A list whose items are selected: a listbox with one tab stop. Arrow keys go from item to item, Space and presses select,
// with Shift as far as the item that was selected last.

const STEPS: Record<string, number> = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity };

export class SelectableList {
  #current: HTMLLIElement | undefined;
  #anchor: HTMLLIElement | undefined;

  /** `labelledBy` is the id of its name; `changed` is called when other items are selected. */
  constructor(
    readonly element: HTMLOListElement,
    labelledBy: string,
    private readonly changed: () => void,
  ) {
    element.setAttribute("role", "listbox");
    element.setAttribute("aria-multiselectable", "true");
    element.setAttribute("aria-labelledby", labelledBy);
    element.addEventListener("keydown", (event) => this.#onKey(event));
    element.addEventListener("click", (event) => this.#onPress(event));
    for (const item of this.items) this.adopt(item);
  }

  get items(): HTMLLIElement[] {
    return [...this.element.children] as HTMLLIElement[];
  }

  get selected(): HTMLLIElement[] {
    return this.items.filter(isSelected);
  }

  /** The selected items; without any, the one that has the focus. */
  get targets(): HTMLLIElement[] {
    const { selected } = this;
    if (selected.length > 0) return selected;
    return this.#current && this.#current === document.activeElement ? [this.#current] : [];
  }

  /** Make a new item of the list one that can be selected. */
  adopt(item: HTMLLIElement): void {
    item.setAttribute("role", "option");
    setSelected(item, false);
    item.tabIndex = -1;
    if (!this.#current?.isConnected) this.#makeCurrent(item);
  }

  /** Select these items and no others. */
  select(wanted: readonly HTMLLIElement[]): void {
    for (const item of this.items) setSelected(item, wanted.includes(item));
    this.changed();
  }

  focus(item: HTMLLIElement): void {
    this.#makeCurrent(item);
    item.focus();
    item.scrollIntoView({ block: "nearest" });
  }

  /** The item that takes the focus when `removed` leave the list: the next one, else the one before them. */
  neighbourOf(removed: readonly HTMLLIElement[]): HTMLLIElement | undefined {
    const { items } = this;
    const first = items.findIndex((item) => removed.includes(item));
    const rest = (item: HTMLLIElement): boolean => !removed.includes(item);
    return items.slice(first).find(rest) ?? items.slice(0, first).reverse().find(rest);
  }

  #makeCurrent(item: HTMLLIElement): void {
    if (this.#current) this.#current.tabIndex = -1;
    this.#current = item;
    item.tabIndex = 0;
  }

  #onPress(event: MouseEvent): void {
    const item = (event.target as Element).closest<HTMLLIElement>("[role=option]");
    if (!item) return;
    this.#makeCurrent(item);
    item.focus({ preventScroll: true });
    if (event.shiftKey) this.#selectTo(item);
    else this.#toggle(item);
  }

  #onKey(event: KeyboardEvent): void {
    const current = this.#current;
    if (!current || event.altKey || event.metaKey) return;
    const step = STEPS[event.key];
    if (step !== undefined && !event.ctrlKey) this.#step(current, step, event.shiftKey);
    else if (event.key === " " && !event.ctrlKey) this.#toggle(current);
    else if (event.key === "a" && event.ctrlKey) this.select(this.items);
    else if (event.key === "Escape") this.select([]);
    else return;
    event.preventDefault();
  }

  #step(current: HTMLLIElement, by: number, isSelecting: boolean): void {
    const { items } = this;
    const place = Math.min(items.length - 1, Math.max(0, items.indexOf(current) + by));
    const item = items[place] ?? current;
    this.#anchor ??= current;
    this.focus(item);
    if (isSelecting) this.#selectTo(item);
    else this.#anchor = item;
  }

  #toggle(item: HTMLLIElement): void {
    this.#anchor = item;
    setSelected(item, !isSelected(item));
    this.changed();
  }

  #selectTo(item: HTMLLIElement): void {
    const { items } = this;
    const ends = [items.indexOf(this.#anchor ?? item), items.indexOf(item)];
    this.select(items.slice(Math.max(0, Math.min(...ends)), Math.max(...ends) + 1));
  }
}

const isSelected = (item: HTMLLIElement): boolean => item.getAttribute("aria-selected") === "true";

function setSelected(item: HTMLLIElement, isChosen: boolean): void {
  item.setAttribute("aria-selected", String(isChosen));
}
