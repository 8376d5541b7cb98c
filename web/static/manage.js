// A manage link carries its token behind the #, which never reaches a server: put it into the form and open that.
const token = location.hash.slice(1);
const field = document.querySelector("#token");
if (/^[\w-]{22}$/.test(token) && field) {
  field.value = token;
  history.replaceState(null, "", location.pathname);
  const details = field.closest("details");
  if (details) details.open = true;
  field.form.scrollIntoView();
}
