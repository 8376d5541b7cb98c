/** The element that `selector` finds. Throws where there is none: for elements that a script can't work without. */
export function required<Kind extends HTMLElement>(selector: string): Kind {
  const found = document.querySelector<Kind>(selector);
  if (!found) throw new Error(`no element ${selector}`);
  return found;
}

/** A copy of the element in the template that `selector` finds. Throws where there is none. */
export function fromTemplate<Kind extends HTMLElement>(selector: string): Kind {
  const { content } = required<HTMLTemplateElement>(selector);
  return document.importNode(content, true).firstElementChild as Kind;
}

/** Whether the page's language is written from right to left. */
export const isRightToLeft = (): boolean => document.documentElement.dir === "rtl";

/** Whether text can be entered in the target of an event. */
export const isTextField = (target: EventTarget | null): boolean =>
  target instanceof Element && target.matches("textarea:not([readonly]), input:not([readonly], [type=checkbox], [type=radio], [type=file])");

/** Whether a click is nothing but a click: with another button or a key, it opens a link elsewhere. */
export const isPlainClick = ({ button, ctrlKey, metaKey, shiftKey, altKey }: MouseEvent): boolean =>
  !button && !ctrlKey && !metaKey && !shiftKey && !altKey;
