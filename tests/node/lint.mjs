// lint.mjs FILE: what Redocly and Spectral find in an OpenAPI document, as JSON, without what is accepted.
import { readFile } from "node:fs/promises";
import { createConfig, lint } from "@redocly/openapi-core";
import spectralCore from "@stoplight/spectral-core";
import parsers from "@stoplight/spectral-parsers";
import rulesets from "@stoplight/spectral-rulesets";

const ACCEPTED = {
  "no-ambiguous-paths": ["/i/{slug}/{preset}.{format}", "/i/{slug}.{ext}"], // the one with an extension wins
  // IIIF asks for a redirect, and forms lead to the page that they open.
  "operation-2xx-response": ["/iiif/3/{slug}", "/i/{slug}/unlock", "/a/{slug}/unlock", "/a/{slug}/invites"],
};

const path = process.argv[2];
const pointer = (address) => `#/paths/${address.replaceAll("~", "~0").replaceAll("/", "~1")}`;
const isAccepted = ({ ruleId, location: [{ pointer: where }] }) =>
  ACCEPTED[ruleId]?.some((address) => where === pointer(address) || where.startsWith(`${pointer(address)}/`));

const config = await createConfig({ extends: ["recommended"] });
const byRedocly = (await lint({ ref: path, config })).filter((finding) => !isAccepted(finding));

const spectral = new spectralCore.Spectral();
spectral.setRuleset({ extends: [[rulesets.oas, "recommended"]] });
const bySpectral = await spectral.run(new spectralCore.Document(await readFile(path, "utf8"), parsers.Json, path));

console.log(
  JSON.stringify([
    ...byRedocly.map(({ ruleId, message, location }) => `${ruleId} at ${location[0].pointer}: ${message}`),
    ...bySpectral.map(({ code, message, path: where }) => `${code} at ${where.join("/")}: ${message}`),
  ]),
);
