// One file on its way: tus, the link that is there before the first byte, and every way in which it may go on or end.

import { type HttpRequest, type DetailedError, Upload } from "tus-js-client";
import type { Picture } from "../mine/picture";
import { type Problematic, type Told, told } from "../parts/problems";
import { Pace } from "./pace";
import { stateOf } from "./state";

const CHUNK_BYTES = 48e6; // below what CDNs take in one request
const SOON_MS = [0, 500, 1000, 2000, 4000, 8000];
const LATER_MS = 10_000; // then again and again: a lost connection comes back some time
const TRIES = 10_000;
const ASK_MS = [300, 700, 1500, 3000, 5000];
const LOCKED = 423;
const BUSY = [409, LOCKED, 429];
const FULL = 507;

export type Phase = "waiting" | "sending" | "paused" | "offline" | "processing" | "done" | "failed" | "refused" | "gone";
export const OVER: ReadonlySet<Phase> = new Set(["done", "refused", "gone"]);

/** Wishes for the picture: expires_in, title and whatever else the form has, by the names of its fields. */
export type Wishes = Record<string, string>;

export class Transfer {
  phase: Phase = "waiting";
  sent = 0;
  problem: Told | undefined;
  picture: Picture | undefined;
  /** Whether all is sent, but nobody is there to tell what became of it. */
  isCutOff = false;
  /** Whether it is not the connection that it waits for, but room on the host. */
  isShortOfRoom = false;
  readonly pace = new Pace();
  #upload: Upload | undefined;

  /**
   * `id` names it in this browser. `url` is the upload's own address, where it was begun already. `changed` is called
   * whenever anything is new.
   */
  constructor(
    readonly file: File,
    readonly wishes: Wishes,
    private readonly changed: (transfer: Transfer) => void,
    readonly id: string,
    public url?: string,
  ) {}

  /** Begin, or go on. */
  start(): void {
    if (OVER.has(this.phase)) return;
    this.#upload ??= this.#made();
    this.problem = undefined;
    this.pace.forget();
    this.#become("sending");
    this.#upload.start();
  }

  async pause(): Promise<void> {
    this.#become("paused");
    await this.#upload?.abort();
  }

  /** The connection is back, says the browser: don't wait for the next try. */
  async hurry(): Promise<void> {
    if (this.phase !== "offline") return;
    await this.#upload?.abort();
    this.start();
  }

  /** Give it up; what has come is thrown away, and the link with it. */
  async cancel(): Promise<void> {
    this.#become("gone");
    await this.#upload?.abort().catch(() => undefined);
    if (this.url) await fetch(this.url, { method: "DELETE", headers: { "Tus-Resumable": "1.0.0" } }).catch(() => undefined);
  }

  #made(): Upload {
    return new Upload(this.file, {
      endpoint: "/api/v1/uploads",
      ...(this.url ? { uploadUrl: this.url } : {}),
      metadata: { filename: this.file.name, ...this.wishes },
      chunkSize: CHUNK_BYTES,
      retryDelays: [...SOON_MS, ...new Array<number>(TRIES).fill(LATER_MS)],
      storeFingerprintForResuming: false,
      onBeforeRequest: (request: HttpRequest) => this.#requested(request),
      onUploadUrlAvailable: () => void this.#hasUrl(),
      onProgress: (sent: number) => this.#progressed(sent),
      onShouldRetry: (fault) => this.#mayRetry(fault as DetailedError),
      onSuccess: () => void this.#verdict(),
      onError: (fault) => this.#failed(fault as DetailedError),
    });
  }

  #requested(request: HttpRequest): void {
    const last = this.sent >= this.file.size && request.getMethod() === "PATCH";
    if (last && this.phase === "sending") this.#become("processing");
  }

  #progressed(sent: number): void {
    this.sent = sent;
    this.pace.note(sent);
    // The reply to the last byte waits until the server has looked at the picture.
    if (this.phase !== "paused") this.#become(sent >= this.file.size ? "processing" : "sending");
  }

  async #hasUrl(): Promise<void> {
    if (this.#upload?.url) this.url = this.#upload.url;
    const state = await stateOf(this.url ?? "");
    if (typeof state === "object" && state.image) this.picture = state.image;
    this.changed(this);
  }

  async #verdict(): Promise<void> {
    this.#become("processing");
    for (let asked = 0; ; asked += 1) {
      const state = await stateOf(this.url ?? "");
      if (this.isCutOff !== (state === "away")) {
        this.isCutOff = state === "away";
        this.changed(this);
      }
      if (state === "gone") return this.#become("gone");
      if (state !== "away" && state.state !== "receiving" && state.state !== "processing") {
        if (state.image) this.picture = state.image;
        this.problem = state.problem ? told(state.problem) : undefined;
        return this.#become(state.state);
      }
      await new Promise((later) => setTimeout(later, ASK_MS[Math.min(asked, ASK_MS.length - 1)]));
    }
  }

  #mayRetry(fault: DetailedError): boolean {
    const status = fault.originalResponse?.getStatus() ?? 0;
    this.isShortOfRoom = status === LOCKED && codeIn(fault.originalResponse?.getBody()) === "upload-paused";
    const passes = status === 0 || BUSY.includes(status) || (status >= 500 && status !== FULL);
    if (passes && this.phase !== "paused") this.#become("offline");
    return passes;
  }

  #failed(fault: DetailedError): void {
    if (this.phase === "gone" || this.phase === "paused") return;
    const status = fault.originalResponse?.getStatus() ?? 0;
    this.problem = problemIn(fault.originalResponse?.getBody());
    this.#become(status >= 400 && status < 500 ? "refused" : "failed");
  }

  #become(phase: Phase): void {
    this.phase = phase;
    this.changed(this);
  }
}

function codeIn(body: string | undefined): string | undefined {
  try {
    return (JSON.parse(body ?? "") as Problematic).code;
  } catch {
    return undefined;
  }
}

/** What an answer's body tells of a problem; undefined for a body that is none. */
function problemIn(body: string | undefined): Told | undefined {
  try {
    return told(JSON.parse(body ?? "") as Problematic);
  } catch {
    return undefined;
  }
}
