const JSON_TYPE = /^[^/;\s]+\/(?:[^/;\s]+\+)?json\s*(?:;|$)/i

/** Does a media type say that the content is JSON: a subtype `json`, or one that ends with `+json`, whatever its parameters? */
export function isJsonMediaType(type: string): boolean {
  return JSON_TYPE.test(type.trim())
}
