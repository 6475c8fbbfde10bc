// What a call of a route takes and gives, read from schema.d.ts.
import type { components, paths } from "./schema.d.ts";

export type Method = "get" | "put" | "post" | "delete";

/** The routes that know a method. */
export type Route<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never;
}[keyof paths];

type Operation<M extends Method, P extends Route<M>> = paths[P] extends Record<M, infer O> ? O : never;

/** `{ path, query, body }`, as far as the route has them. */
export type Ask<M extends Method, P extends Route<M>> = Part<
  "path",
  Operation<M, P> extends { parameters: { path: infer T } } ? T : never
> &
  Part<"query", Operation<M, P> extends { parameters: { query?: infer T } } ? T : never> &
  Part<
    "body",
    Operation<M, P> extends { requestBody?: { content: { "application/json": infer T } } } ? T : never
  >;

/** The same as arguments: none is needed where all of it can be left out. */
export type Asked<M extends Method, P extends Route<M>> =
  {} extends Ask<M, P> ? [ask?: Ask<M, P>] : [ask: Ask<M, P>];

type Part<K extends string, T> = [T] extends [never]
  ? { [k in K]?: undefined }
  : undefined extends T
    ? { [k in K]?: T }
    : { [k in K]: T };

/** The body of the answer: an object, a text, or nothing. */
export type Answer<M extends Method, P extends Route<M>> =
  Operation<M, P> extends { responses: infer R } ? Content<R[keyof R & (200 | 201 | 204)]> : never;

type Content<R> = R extends { content: { "application/json": infer T } }
  ? T
  : R extends { content: { "text/plain": infer T } }
    ? T
    : R extends { content?: never }
      ? undefined
      : string;

type Words = components["schemas"];

/** The words of a device, which gets an id and a password where it has none. */
export type DeviceWords = Lax<Words["Device"]>;

type Lax<D> = D extends unknown
  ? { [K in keyof D]: Omit<D[K], "id" | "password"> & { id?: string; password?: string } }
  : never;

/** What a device is created with. */
export type Harm = { faults?: Words["Fault"][]; quirks?: Words["Quirk"][] };
