// Pages with a token field: fills in the token from a manage link.

import { tokenOf } from "./parts/token";

const field = document.querySelector<HTMLInputElement>("[name=token]");
const slug = /^\/[ai]\/(\w+)/.exec(location.pathname)?.[1];
if (field && slug) field.value ||= tokenOf(slug) ?? "";
