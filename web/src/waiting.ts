// A page that was asked for too often: counts down until it may be loaded again, and then loads it.
import { duration } from "./parts/formatting";
import { t } from "./parts/messages";

const place = document.querySelector<HTMLElement>("#wait");
const until = Date.now() + Number(place?.dataset["seconds"]) * 1000;

function tick(): void {
  const left = Math.ceil((until - Date.now()) / 1000);
  if (!place) return;
  if (!(left > 0)) return location.reload();
  place.textContent = t("This page continues automatically in {time}.", { time: duration(left) });
  setTimeout(tick, 1000);
}

tick();
