// What is done with many pictures: each by its own delete token, a few at a time, and what failed is told.

import type { Mine } from "./store";

const AT_ONCE = 4;

export interface Outcome {
  done: Mine[];
  failed: Mine[];
}

/** Delete them; for ten seconds that can be undone. */
export const deleteAll = (wanted: Mine[]): Promise<Outcome> =>
  each(wanted, async (one) => ((await asked(one, "DELETE")).ok ? one : undefined));

/** Bring back what was deleted just now. */
export const undoAll = (wanted: Mine[]): Promise<Outcome> =>
  each(wanted, async (one) => ((await asked(one, "PATCH", { deleted: false })).ok ? one : undefined));

/** Keep them for a span from now on, such as `30d`. */
export const extendAll = (wanted: Mine[], expiresIn: string): Promise<Outcome> =>
  each(wanted, async (one) => {
    const reply = await asked(one, "PATCH", { expires_in: expiresIn });
    return reply.ok ? { ...one, expires_at: ((await reply.json()) as { expires_at: string }).expires_at } : undefined;
  });

function asked(one: Mine, method: string, change?: object): Promise<Response> {
  return fetch(`/api/v1/images/${one.slug}`, {
    method,
    headers: { Authorization: `Bearer ${one.delete_token}`, "Content-Type": "application/json" },
    ...(change ? { body: JSON.stringify(change) } : {}),
  });
}

async function each(wanted: Mine[], deed: (one: Mine) => Promise<Mine | undefined>): Promise<Outcome> {
  const outcome: Outcome = { done: [], failed: [] };
  const left = [...wanted];
  const work = async (): Promise<void> => {
    for (let one = left.shift(); one; one = left.shift()) {
      const after = await deed(one).catch(() => undefined);
      if (after) outcome.done.push(after);
      else outcome.failed.push(one);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcome;
}
