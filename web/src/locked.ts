// The form of what is locked, after very many wrong passphrases, or of a new album while very much is uploaded: it is sent with the solution of the server's challenge.

const form = document.querySelector<HTMLFormElement>("form[data-challenge]");
const field = form?.querySelector<HTMLInputElement>("[name=proof]");

if (form && field) {
  let isSolved = false;
  let isWaiting = false;
  const solved = import("./uploading/proof")
    .then(({ solve }) => solve(form.dataset["challenge"]))
    .catch(() => undefined)
    .then((proof) => {
      field.value = proof ?? ""; // the server lets some in without
      isSolved = true;
    });
  form.addEventListener("submit", (event) => {
    if (isSolved) return;
    event.preventDefault();
    if (isWaiting) return;
    isWaiting = true;
    void solved.then(() => form.requestSubmit());
  });
}
