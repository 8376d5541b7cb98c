// Changes of My images, and how every page of this browser that shows it learns of them.

const CHANNEL = "appliance-library";
const SETTLING_MS = 100; // many changes in a row are one to those who look at the list

/** Let every page, this one too, know that what is stored has changed. */
export function publishChange(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(null);
  channel.close(); // an open channel would keep the page from being restored by the back button
}

/** Call `changed` a moment after changes, and when the page is restored by the back button. */
export function watchChanges(changed: () => void): void {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  const soon = (): void => {
    waiting ??= setTimeout(() => {
      waiting = undefined;
      changed();
    }, SETTLING_MS);
  };
  const listen = (): BroadcastChannel => {
    const opened = new BroadcastChannel(CHANNEL);
    opened.addEventListener("message", soon);
    return opened;
  };
  let channel = listen();
  addEventListener("pagehide", () => channel.close());
  addEventListener("pageshow", (event) => {
    if (!("persisted" in event && event.persisted)) return; // the service worker's types know no such event
    channel = listen();
    soon();
  });
}
