// with-openapi-fetch.ts: uploads and deletes an image with openapi-fetch, typed by what openapi-typescript makes of the
// contract. URL upload FILE | URL tus FILE: print the image. URL delete SLUG TOKEN: prints nothing.
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import createClient from "openapi-fetch";
import type { components, paths } from "./contract.js";

type Image = components["schemas"]["Image"];

const [url = "", verb, what = "", token] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: url });
const TUS = { "Tus-Resumable": "1.0.0" } as const;
const BYTES = { bodySerializer: (body: unknown) => body as Blob, headers: { "Content-Type": "application/offset+octet-stream" } };

/** Bytes, which openapi-typescript takes for text. */
const binary = (bytes: Uint8Array<ArrayBuffer>) => new Blob([bytes]) as unknown as string;

function formOf(fields: object): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Blob) form.append(name, value, basename(what));
    else form.append(name, String(value));
  }
  return form;
}

async function upload(): Promise<Image> {
  const { data, error } = await client.POST("/api/v1/images", {
    body: { file: binary(new Uint8Array(await readFile(what))), title: "Cat", expires_in: "30d" },
    bodySerializer: (body) => formOf(body as object),
  });
  if (!data) throw new Error(JSON.stringify(error));
  return data;
}

async function uploadByTus(): Promise<Image> {
  const bytes = new Uint8Array(await readFile(what));
  const created = await client.POST("/api/v1/uploads", {
    params: { header: { ...TUS, "Upload-Length": String(bytes.length) } },
  });
  const path = { id: created.response.headers.get("Location")?.split("/").at(-1) ?? "" };
  const half = Math.floor(bytes.length / 2);
  for (const [offset, part] of [[0, bytes.slice(0, half)], [half, bytes.slice(half)]] as const) {
    const header = { ...TUS, "Upload-Offset": String(offset) };
    const { error } = await client.PATCH("/api/v1/uploads/{id}", { params: { path, header }, body: binary(part), ...BYTES });
    if (error) throw new Error(JSON.stringify(error));
  }
  const { data } = await client.GET("/api/v1/uploads/{id}", { params: { path } });
  if (data?.image?.state !== "ready") throw new Error(JSON.stringify(data));
  return data.image;
}

async function remove(): Promise<void> {
  const { error } = await client.DELETE("/api/v1/images/{slug}", {
    params: { path: { slug: what } },
    headers: { Authorization: `Bearer ${token}` },
  });
  if (error) throw new Error(JSON.stringify(error));
}

if (verb === "delete") await remove();
else console.log(JSON.stringify(await (verb === "tus" ? uploadByTus : upload)()));
