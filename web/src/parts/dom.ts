/** The element that `selector` finds. Throws where there is none: for elements that a script can't work without. */
export function required<Kind extends HTMLElement>(selector: string): Kind {
  const found = document.querySelector<Kind>(selector);
  if (!found) throw new Error(`no element ${selector}`);
  return found;
}
