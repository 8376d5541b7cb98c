// Pages with a token field: a manage link's token goes into it by itself.

import { tokenOf } from "./parts/token";

const field = document.querySelector<HTMLInputElement>("[name=token]");
const slug = /^\/[ai]\/(\w+)/.exec(location.pathname)?.[1];
if (field && slug) field.value ||= tokenOf(slug) ?? "";
