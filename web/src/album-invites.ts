// The guest links of an album: a new one is there to be copied.
import { wireCopyButtons } from "./parts/copy";

wireCopyButtons();
