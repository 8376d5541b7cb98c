// The guest links of an album: a new one is there to be copied, and a reload makes no other: it opens the manage page.
import { wireCopyButtons } from "./parts/copy";

wireCopyButtons();
history.replaceState(null, "", location.pathname.replace(/invites$/, "manage"));
