// Which unfinished uploads belong to a page that is open, in this tab or another. A page holds a lock on each of its uploads.
// Browsers have locks only with HTTPS; on plain HTTP, pages ask each other.

const PREFIX = "upload ";
const CHANNEL = "appliance-uploads";
const ANSWERING_MS = 300;
const own = new Set<string>();
let channel: BroadcastChannel | undefined;

/** Let other pages know that this one has the upload, for as long as it is open. */
export function claim(id: string): void {
  if (navigator.locks) {
    void navigator.locks.request(PREFIX + id, { ifAvailable: true }, () => new Promise(() => undefined));
    return;
  }
  own.add(id);
  if (channel) return;
  answer();
  addEventListener("pagehide", () => channel?.close()); // an open channel would keep the page from being restored
  addEventListener("pageshow", ({ persisted }) => persisted && answer());
}

/** The uploads of all open pages. */
export async function listClaimed(): Promise<Set<string>> {
  if (!navigator.locks) return ask();
  const { held = [] } = await navigator.locks.query();
  return new Set(held.map(({ name = "" }) => name.slice(PREFIX.length)));
}

/** Tell pages that ask. */
function answer(): void {
  channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener("message", ({ data }) => data === null && channel?.postMessage([...own]));
}

async function ask(): Promise<Set<string>> {
  const claimed = new Set(own);
  const asking = new BroadcastChannel(CHANNEL);
  asking.addEventListener("message", ({ data }: MessageEvent<string[] | null>) => data?.forEach((id) => claimed.add(id)));
  asking.postMessage(null);
  await new Promise((resolve) => setTimeout(resolve, ANSWERING_MS));
  asking.close();
  return claimed;
}
