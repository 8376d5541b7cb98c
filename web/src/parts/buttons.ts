// Buttons that only scripts answer.

interface Looks {
  className?: string;
  /** What is spoken where a sign alone is seen. */
  label?: string;
}

export function button(text: string, pressed?: () => void, { className, label }: Looks = {}): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  if (className) made.className = className;
  if (label) made.setAttribute("aria-label", label);
  if (pressed) made.addEventListener("click", pressed);
  return made;
}
