// One file being uploaded with tus: its link, which works before the first byte, and every way it can continue or end.

import type { DetailedError, HttpRequest, Upload } from "tus-js-client";
import type { ImageResource } from "../library/image";
import { keyHeader } from "../parts/access-key";
import { Problem } from "../parts/api";
import { t } from "../parts/messages";
import { type LocalizedText, localizeProblem, pageLanguage } from "../parts/problems";
import { randomId } from "../parts/random";
import { TransferRate } from "../parts/transfer-rate";
import { discardUpload } from "./discarding";
import { type Edits, saveEdits } from "./edits";
import { ENDED, type Phase } from "./phase";
import { nextProof, noteAsked } from "./proof-asked";
import { isPaused, isRefused, isTemporary, LOCKED, problemIn, PROOF_REQUIRED, TOO_MANY_REQUESTS } from "./replies";
import { stateOf } from "./state";
import { verdictOn } from "./verdict";

const CHUNK_BYTES = 48e6; // less than CDNs accept in one request
const FIRST_RETRIES_MS = [0, 500, 1000, 2000, 4000, 8000];
const RETRY_MS = 10_000; // from then on: a lost connection comes back at some point
const MAX_RETRIES = 10_000;

/** Options for the image, by the names of the form's fields: expires_in, title and so on. */
export type UploadOptions = Record<string, string>;

/** An upload that was begun on a page that is closed. */
export interface Begun {
  id: string;
  url?: string;
  edits?: Edits;
}

// It is needed only once there is a file, so it comes after the page; it is asked for at once, so that it is there by then.
let client = import("tus-js-client");
client.catch(() => undefined);

let lastAdded = 0;

export class Transfer {
  phase: Phase = "waiting";
  sent = 0;
  problem: LocalizedText | undefined;
  image: ImageResource | undefined;
  /** Whether everything is sent, but the server can't be asked for the verdict. */
  isDisconnected = false;
  /** Whether it waits for space on the server, not for the connection. */
  waitsForSpace = false;
  /** When it resumes by itself, while it is over a limit of the server. */
  limitedUntil: Date | undefined;
  limit: LocalizedText | undefined;
  /** Whether the server has discarded a cancelled upload, and the link with it. */
  isDiscarded = false;
  /** Whether the image was there and isn't any more, because it was deleted, or viewed once. */
  hasEnded = false;
  readonly rate = new TransferRate();
  /** Identifies it in this browser; in the order in which the files were chosen, for that is how a later page finds them. */
  readonly id: string;
  /** The address of the upload, once it was created. */
  url: string | undefined;
  /** The slug of an image with the same bytes that was uploaded with this browser before. */
  duplicateOf: string | undefined;
  /** When the file was chosen; later for each file, so that My images has them in this order. */
  readonly addedAt = new Date((lastAdded = Math.max(lastAdded + 1, Date.now()))).toISOString();
  /** Changes that the server doesn't have yet. */
  edits: Edits;
  #upload: Upload | undefined;
  #attempt = 0;
  /** The solution of a challenge, which counts for the creation alone. */
  #proof: string | undefined;

  /** `changed` is called whenever anything changes. */
  constructor(
    readonly file: File,
    readonly options: UploadOptions,
    private readonly changed: (transfer: Transfer) => void,
    begun?: Begun,
  ) {
    this.id = begun?.id ?? `${this.addedAt}-${randomId()}`;
    this.url = begun?.url;
    this.edits = begun?.edits ?? {};
  }

  get title(): string {
    return this.edits["title"] ?? (this.image ? this.image.title : this.options["title"]) ?? "";
  }

  get alt(): string {
    return this.edits["alt"] ?? (this.image ? this.image.alt : this.options["alt"]) ?? "";
  }

  /** Wait for a place in the queue, after a failure. */
  requeue(): void {
    this.problem = undefined;
    this.#enter("waiting");
  }

  /** Start or resume. */
  async start(): Promise<void> {
    if (ENDED.has(this.phase)) return;
    this.problem = undefined;
    this.limitedUntil = undefined;
    this.rate.reset();
    this.#enter("sending");
    this.#attempt += 1;
    const attempt = this.#attempt;
    const [tus, proof] = await Promise.all([client.catch(() => undefined), this.url || this.#proof ? this.#proof : nextProof()]);
    if (attempt !== this.#attempt) return; // paused, cancelled or started again meanwhile
    this.#proof = proof;
    if (!tus) return this.#awaitClient();
    this.#upload ??= new tus.Upload(this.file, this.#settings());
    this.#upload.start();
  }

  /** The connection was lost before the rest of the script came. */
  #awaitClient(): void {
    client = import("tus-js-client");
    client.catch(() => undefined);
    this.#enter("offline");
    setTimeout(() => void this.retryNow(), RETRY_MS);
  }

  async pause(): Promise<void> {
    this.#attempt += 1;
    this.#enter("paused");
    await this.#upload?.abort();
  }

  /** Retry at once, because the browser says that the connection is back. */
  async retryNow(): Promise<void> {
    if (this.phase !== "offline" || this.limitedUntil) return;
    await this.#upload?.abort();
    await this.start();
  }

  /** Cancel; the server discards what it has, and the link with it. */
  async cancel(): Promise<void> {
    this.#attempt += 1;
    this.problem = undefined;
    this.#enter("gone");
    await this.#upload?.abort().catch(() => undefined);
    if (this.url) this.isDiscarded = await discardUpload(this.url);
    if (this.isDiscarded) this.changed(this);
  }

  /**
   * Change the image: at once if it is there, else when it is, or with its upload if that has yet to begin. Throws Problem; then
   * the image is as before.
   */
  async edit(edits: Edits): Promise<void> {
    const before = this.edits;
    if (this.phase === "waiting" && !this.url && !this.#upload) Object.assign(this.options, edits);
    else this.edits = { ...before, ...edits };
    this.changed(this);
    if (this.phase === "done") await this.sendEdits().catch((fault: unknown) => this.#undoEdits(before, fault));
  }

  /** Send the changes that were made while the image was uploaded. Throws Problem, and keeps them unless they were refused. */
  async sendEdits(): Promise<void> {
    const edits = this.edits;
    if (!this.image || Object.keys(edits).length === 0) return;
    this.image = await saveEdits(this.image, edits).catch((fault: unknown) =>
      fault instanceof Problem && fault.isRefusal ? this.#undoEdits({}, fault) : Promise.reject(fault),
    );
    if (this.edits === edits) this.edits = {};
    this.changed(this);
  }

  /** The image has ended since it was uploaded, or was restored. */
  setEnded(hasEnded: boolean): void {
    this.hasEnded = hasEnded;
    this.phase = hasEnded ? "gone" : "done";
  }

  #undoEdits(edits: Edits, fault: unknown): never {
    this.edits = edits;
    this.changed(this);
    throw fault;
  }

  #settings(): Upload["options"] {
    const { invite, ...options } = this.options; // a guest's; it is a secret, and so no metadata
    return {
      endpoint: "/api/v1/uploads",
      ...(this.url ? { uploadUrl: this.url } : {}),
      metadata: { filename: this.file.name, ...withoutEmpty(options) },
      ...(invite ? { headers: { "X-Invite": invite } } : {}),
      chunkSize: CHUNK_BYTES,
      retryDelays: [...FIRST_RETRIES_MS, ...new Array<number>(MAX_RETRIES).fill(RETRY_MS)],
      storeFingerprintForResuming: false,
      onBeforeRequest: (request: HttpRequest) => this.#onRequest(request),
      onUploadUrlAvailable: () => void this.#onUrl(),
      onProgress: (sent: number) => this.#onProgress(sent),
      onShouldRetry: (fault) => this.#shouldRetry(fault as DetailedError),
      onSuccess: () => void this.#awaitVerdict(),
      onError: (fault) => this.#onError(fault as DetailedError),
    };
  }

  #onRequest(request: HttpRequest): void {
    for (const [name, value] of Object.entries(keyHeader())) request.setHeader(name, value);
    if (this.#proof) request.setHeader("Proof-Of-Work", this.#proof);
    const last = this.sent >= this.file.size && request.getMethod() === "PATCH";
    if (last && this.phase === "sending") this.#enter("processing");
  }

  #onProgress(sent: number): void {
    this.sent = sent;
    this.rate.record(sent);
    // The server replies to the last byte only when it has inspected the image.
    if (this.phase !== "paused") this.#enter(sent >= this.file.size ? "processing" : "sending");
  }

  async #onUrl(): Promise<void> {
    if (this.#upload?.url) this.url = this.#upload.url;
    const state = await stateOf(this.url ?? "");
    if (typeof state === "object" && state.image) this.image = state.image;
    this.changed(this);
  }

  async #awaitVerdict(): Promise<void> {
    this.#enter("processing");
    const verdict = await verdictOn(this.url ?? "", (isReachable) => {
      if (this.isDisconnected !== isReachable) return;
      this.isDisconnected = !isReachable;
      this.changed(this);
    });
    if (verdict === "gone") {
      this.isDiscarded = true;
      return this.#enter("gone");
    }
    if (verdict.image) this.image = verdict.image;
    this.problem = verdict.problem ? localizeProblem(verdict.problem) : undefined;
    this.#enter(verdict.state);
  }

  #shouldRetry(fault: DetailedError): boolean {
    const status = fault.originalResponse?.getStatus() ?? 0;
    this.waitsForSpace = isPaused(status, fault.originalResponse?.getBody());
    const isFinishing = status === LOCKED && !this.waitsForSpace && this.sent >= this.file.size;
    if (isTemporary(status) && this.phase !== "paused") this.#enter(isFinishing ? "processing" : "offline");
    if (status === 0) void this.#checkFile();
    return isTemporary(status);
  }

  /** A file that was changed or removed since it was chosen fails like a lost connection, but no retry helps. */
  async #checkFile(): Promise<void> {
    const attempt = this.#attempt;
    if ((await isReadable(this.file)) || attempt !== this.#attempt) return;
    await this.#upload?.abort();
    const text = t("{name} can’t be read. Check that the file still exists, and choose it again.", { name: this.file.name });
    this.problem = { text, lang: pageLanguage() };
    this.#enter("failed");
  }

  #onError(fault: DetailedError): void {
    if (this.phase === "gone" || this.phase === "paused") return;
    const status = fault.originalResponse?.getStatus() ?? 0;
    const wait = Number(fault.originalResponse?.getHeader("Retry-After"));
    if (status === TOO_MANY_REQUESTS) return this.#awaitLimit(wait, problemIn(fault.originalResponse?.getBody()));
    if (status === PROOF_REQUIRED) return void this.#prove(fault.originalResponse?.getBody(), wait);
    this.problem = problemIn(fault.originalResponse?.getBody());
    this.#enter(isRefused(status) ? "refused" : "failed");
  }

  /** Solve the challenge and continue, or wait where this browser can't: the server lets some in without. */
  async #prove(body: string | undefined, wait: number): Promise<void> {
    const attempt = this.#attempt;
    this.#enter("processing");
    noteAsked();
    this.#proof = await import("./proof").then(({ solve }) => solve(body), () => undefined);
    if (attempt !== this.#attempt) return;
    if (this.#proof) void this.start();
    else this.#awaitLimit(wait);
  }

  /** Resume when the server says that it may. */
  #awaitLimit(seconds: number, limit?: LocalizedText): void {
    const [attempt, ms] = [this.#attempt, (seconds || RETRY_MS / 1000) * 1000];
    this.limitedUntil = new Date(Date.now() + ms);
    this.limit = limit;
    this.#enter("offline");
    setTimeout(() => {
      if (attempt === this.#attempt) void this.start();
    }, ms);
  }

  #enter(phase: Phase): void {
    this.phase = phase;
    this.changed(this);
  }
}

/** Whether the browser can still read the file; it reads none that has another size or time than when it was chosen. */
const isReadable = (file: File): Promise<boolean> => file.slice(0, 1).arrayBuffer().then(() => true, () => false);

const withoutEmpty = (options: UploadOptions): UploadOptions => Object.fromEntries(Object.entries(options).filter(([, value]) => value !== ""));
