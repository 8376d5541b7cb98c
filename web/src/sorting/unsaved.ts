// A form that is saved by its button: leaving it asks first if something was changed.

export function warnOfUnsaved(form: HTMLFormElement): void {
  let isChanged = false;
  form.addEventListener("input", () => (isChanged = true));
  form.addEventListener("submit", () => (isChanged = false));
  addEventListener("beforeunload", (event) => {
    if (isChanged) event.preventDefault();
  });
}
