// Buttons that scripts create.

interface Options {
  className?: string;
  /** The accessible name of a button that shows only a symbol. */
  label?: string;
}

export function button(text: string, onPress?: () => void, { className, label }: Options = {}): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  if (className) made.className = className;
  if (label) made.setAttribute("aria-label", label);
  if (onPress) made.addEventListener("click", onPress);
  return made;
}
