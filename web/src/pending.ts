// An image that is still being uploaded: shows its progress and speed, and reloads the page when the upload has ended.
// Without this script the page reloads every few seconds.
import { size } from "./parts/formatting";
import { locale, t } from "./parts/messages";
import { TransferRate } from "./parts/transfer-rate";

interface Progress {
  state: string;
  offset: number;
  length: number | null;
}

const STALLED_MS = 10_000;
const POLL_MS = 3000;

const bar = document.querySelector<HTMLProgressElement>("#pending");
const label = document.querySelector("#pending-text");
const title = document.title;
const rate = new TransferRate();
const percent = new Intl.NumberFormat(locale(), { style: "percent" });

let latest: Progress | undefined;
let changedMs = performance.now();

function progressText({ offset, length }: Progress): string {
  if (length === null) return t("{part} received", { part: size(offset) });
  return t("{part} of {whole} received", { part: size(offset), whole: size(length) });
}

function speedText(): string {
  if (latest?.state === "processing") return t("processing");
  if (performance.now() - changedMs > STALLED_MS) return t("waiting for more data");
  const bytes = rate.bytesPerSecond;
  return bytes ? t("{size}/s", { size: size(Math.round(bytes)) }) : "";
}

function show(): void {
  if (!latest || !bar || !label) return;
  label.textContent = [progressText(latest), speedText()].filter(Boolean).join(" · ");
  if (latest.length === null) return;
  bar.max = latest.length;
  bar.value = latest.offset;
  document.title = `${percent.format(latest.offset / latest.length)} · ${title}`;
}

function update(progress: Progress): void {
  if (progress.offset !== latest?.offset) {
    rate.record(progress.offset);
    changedMs = performance.now();
  }
  latest = progress;
  show();
}

/** Poll, when too many clients follow uploads already or a proxy blocks events. */
async function poll(address: string): Promise<void> {
  try {
    const reply = await fetch(address, { cache: "no-store" });
    if (reply.status < 500) {
      const image = reply.ok ? ((await reply.json()) as Progress) : undefined;
      if (image?.state !== "receiving") return location.reload();
      update(image);
    }
  } catch {
    // offline: the network may come back
  }
  setTimeout(() => void poll(address), POLL_MS);
}

function listen({ events, image }: DOMStringMap): void {
  if (!events || !image) return;
  const source = new EventSource(events);
  source.addEventListener("progress", (event) => update(JSON.parse(event.data as string) as Progress));
  for (const end of ["done", "gone"]) source.addEventListener(end, () => location.reload());
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) void poll(image); // otherwise the browser reconnects by itself
  });
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload()); // back from another page
  setInterval(show, 1000);
}

if (bar) listen(bar.dataset);
