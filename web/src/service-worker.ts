// What a phone shares is stored for the upload page, which shows its progress and resumes it; and when that page or My images
// can't be reached, there is a page that says so. Nothing else passes here, and nothing is cached: what is deleted stays gone.

import { savePendingFiles } from "./library/store";

/** The server puts these before this script, in the language of the browser. */
interface Given {
  applianceOfflinePage: { html: string; policy: string };
  applianceMaxTitle: number;
}

/** A way for requests that the browser decides on without starting this script; not every browser has it. */
interface Routing {
  addRoutes?(routes: object[]): Promise<void>;
}

declare const self: ServiceWorkerGlobalScope & Given;

const SHARE_TARGET = "/?share"; // as in the web app manifest
const PAGES = ["/", "/images"];

self.addEventListener("install", (event) => {
  const isElsewhere = { not: { or: PAGES.map((pathname) => ({ urlPattern: { pathname } })) } };
  const routed = (event as Routing).addRoutes?.([{ condition: isElsewhere, source: "network" }]);
  event.waitUntil(Promise.all([routed?.catch(() => undefined), self.skipWaiting()]));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname, search } = new URL(request.url);
  if (request.mode !== "navigate" || !PAGES.includes(pathname)) return;
  if (request.method === "GET") event.respondWith(fetch(request).catch(offlinePage));
  else if (request.method === "POST" && pathname + search === SHARE_TARGET)
    event.respondWith(isForeign(request) ? Response.redirect("/", 303) : takeShared(request));
});

function offlinePage(): Response {
  const { html, policy } = self.applianceOfflinePage;
  const headers = { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy, "Cache-Control": "no-store" };
  return new Response(html, { status: 503, headers });
}

/** Whether a page of another site has sent the form: nothing of it is stored. A share menu names no origin. */
const isForeign = ({ headers, referrer }: Request): boolean =>
  [headers.get("Origin") ?? "", referrer].some((from) => URL.canParse(from) && new URL(from).origin !== location.origin);

/**
 * Store the files for the upload page. If there are none, or the browser has no room, the server answers as without this script,
 * though not to somebody who is signed in: a page that hides its origin looks like a share menu.
 */
async function takeShared(request: Request): Promise<Response> {
  const form = await request.formData();
  const files = form.getAll("file").filter((each): each is File => each instanceof File);
  if (files.length > 0 && (await isStored(files, form.get("title")))) return Response.redirect("/", 303);
  const credentials = request.headers.get("Origin") === location.origin ? "same-origin" : "omit";
  return fetch("/", { method: "POST", body: form, headers: { Accept: "text/html" }, credentials });
}

async function isStored(files: File[], title: FormDataEntryValue | null): Promise<boolean> {
  const text = typeof title === "string" ? [...title].slice(0, self.applianceMaxTitle).join("") : "";
  try {
    await savePendingFiles(files, text === "" ? {} : { title: text });
    return true;
  } catch {
    return false;
  }
}
