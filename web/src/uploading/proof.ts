// Solves the challenge of a server to which very much is sent, in workers, so that the page stays quick.

import { type Challenge, solveChallengeWorkers } from "altcha/lib";

declare const PROOF_WORKER: string; // the name of the built worker

const MAX_WORKERS = 4; // a phone has other things to do

let last: Promise<unknown> = Promise.resolve();

/** The solution of a problem's challenge, as the header has it; undefined where this browser finds none. One at a time. */
export function solve(problem: string | undefined): Promise<string | undefined> {
  const solved = last.then(() => solution(JSON.parse(problem ?? "").challenge)).catch(() => undefined);
  last = solved;
  return solved;
}

async function solution(challenge: Challenge): Promise<string | undefined> {
  const found = await solveChallengeWorkers({
    challenge,
    concurrency: Math.min(MAX_WORKERS, navigator.hardwareConcurrency || 1),
    createWorker: () => new Worker(new URL(PROOF_WORKER, import.meta.url)),
  });
  return found ? btoa(JSON.stringify({ challenge, solution: found })) : undefined;
}
