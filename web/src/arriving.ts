// A picture that is still being uploaded: tells how far it is and how fast it comes, and loads the page anew once it has
// come or never will. Without this script the page loads itself again and again.
import { size } from "./parts/figures";
import { locale, t } from "./parts/words";

interface Progress {
  state: string;
  offset: number;
  length: number | null;
}

const SPEED_OVER_MS = 5000;
const STALLED_MS = 10_000;
const ASK_MS = 3000;

const bar = document.querySelector<HTMLProgressElement>("#arriving");
const words = document.querySelector("#arriving-words");
const title = document.title;
const percent = new Intl.NumberFormat(locale(), { style: "percent" });

let latest: Progress | undefined;
let seen: { at: number; offset: number }[] = [];

/** Bytes a second over the last few seconds; nothing while that can't be told. */
function speed(now: number): number | undefined {
  seen = seen.filter((one, index) => now - one.at <= SPEED_OVER_MS || index === seen.length - 1);
  const [first, last] = [seen[0], seen.at(-1)];
  if (!first || !last || last.at - first.at < 400) return undefined;
  return ((last.offset - first.offset) * 1000) / (Math.max(now, last.at) - first.at);
}

function howFar({ offset, length }: Progress): string {
  if (length === null) return t("{part} received", { part: size(offset) });
  return t("{part} of {whole} received", { part: size(offset), whole: size(length) });
}

function howFast(now: number): string {
  if (latest?.state === "processing") return t("processing");
  const last = seen.at(-1);
  if (last && now - last.at > STALLED_MS) return t("waiting for more data");
  const bytes = speed(now);
  return bytes ? t("{size}/s", { size: size(Math.round(bytes)) }) : "";
}

function tell(): void {
  if (!latest || !bar || !words) return;
  words.textContent = [howFar(latest), howFast(performance.now())].filter(Boolean).join(" · ");
  if (latest.length === null) return;
  bar.max = latest.length;
  bar.value = latest.offset;
  document.title = `${percent.format(latest.offset / latest.length)} · ${title}`;
}

function take(progress: Progress): void {
  if (progress.offset !== latest?.offset) seen.push({ at: performance.now(), offset: progress.offset });
  latest = progress;
  tell();
}

/** When too many listen already, or a proxy lets no events through. */
async function ask(address: string): Promise<void> {
  try {
    const reply = await fetch(address, { cache: "no-store" });
    if (reply.status < 500) {
      const image = reply.ok ? ((await reply.json()) as Progress) : undefined;
      if (image?.state !== "receiving") return location.reload();
      take(image);
    }
  } catch {
    // No network: it may come back.
  }
  setTimeout(() => void ask(address), ASK_MS);
}

function listen({ events, image }: DOMStringMap): void {
  if (!events || !image) return;
  const source = new EventSource(events);
  source.addEventListener("progress", (event) => take(JSON.parse(event.data as string) as Progress));
  for (const end of ["done", "gone"]) source.addEventListener(end, () => location.reload());
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) void ask(image); // else the browser connects again by itself
  });
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload()); // back from another page
  setInterval(tell, 1000);
}

if (bar) listen(bar.dataset);
