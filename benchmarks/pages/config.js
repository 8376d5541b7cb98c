// What Lighthouse looks at: all categories as it weighs them itself, on its emulated phone with a slow 4G line.
export default {
  extends: "lighthouse:default",
  settings: {
    // Share pages say noindex on purpose: whoever has the link sees the picture, and search engines are not to have it.
    skipAudits: ["is-crawlable"],
  },
};
