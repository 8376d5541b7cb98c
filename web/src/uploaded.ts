// The answer to the plain form, by which a phone's gallery shares too: the pictures are remembered like any other.
import { keep, type Mine } from "./mine/store";
import { wireCopyButtons } from "./parts/copy";

wireCopyButtons();
const uploaded_at = new Date().toISOString();
const made = [...document.querySelectorAll<HTMLElement>("[data-made]")].map(({ dataset }) => ({
  ...(JSON.parse(dataset["made"] ?? "") as Mine),
  uploaded_at,
}));
// A browser that keeps nothing, as private windows may, remembers nothing.
keep(...made).catch(() => undefined);
