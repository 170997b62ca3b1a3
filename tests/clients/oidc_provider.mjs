// A certified OpenID Connect provider (npm's oidc-provider) on a loopback port that the system chooses. Prints its issuer, then one
// line for each that it reads, for which it signs a subject in as a browser would — authorization code with PKCE, login, consent:
//   token <subject> <client>     as that client; prints the ID token that it got
//   browse <subject> <address>   for the registry, which sent the browser to the address; prints what it comes back with
//   callback - <address>         nobody: the registry's browsers come back to that address from now on
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const { Provider } = await import(process.env.OIDC_PROVIDER);
console.warn = console.info = () => {}; // it warns of what a test needs: keys and pages of its own

const server = createServer();
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;
const redirect = `${issuer}/callback`;
let callback;
const provider = () => new Provider(issuer, {
  clients: [["registry", redirect], ["another", redirect], ["entrepot", callback ?? redirect]].map(([client_id, back]) => ({
    client_id,
    client_secret: "of-the-test",
    redirect_uris: [back],
    grant_types: ["authorization_code"],
    response_types: ["code"],
  })),
  // What stands in the ID token, and what the user info endpoint alone tells.
  claims: { openid: ["sub", "repository"], profile: ["preferred_username", "name"], email: ["email", "email_verified"] },
  conformIdTokenClaims: true,
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      repository: `acme/${id}`,
      preferred_username: id,
      name: `Somebody called ${id}`,
      email: `${id}@example.org`,
      email_verified: true,
    }),
  }),
});
server.on("request", provider().callback());

/** The registry's callback is known once it runs, and it runs once the issuer is known. */
function comeBackTo(address) {
  callback = address;
  server.removeAllListeners("request").on("request", provider().callback());
  return address;
}

/** Follows redirects as a browser does, with its cookies, until one leads back to the client. */
async function browse(cookies, address, form) {
  for (let hop = 0; hop < 20; hop += 1) {
    if (address.startsWith(redirect) || (callback && address.startsWith(callback))) return { address };
    const response = await fetch(address, {
      method: form ? "POST" : "GET",
      body: form,
      redirect: "manual",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [name, ...value] = cookie.split(";")[0].split("=");
      cookies.set(name, value.join("="));
    }
    form = undefined;
    const location = response.headers.get("location");
    if (!location) return { address, page: await response.text(), status: response.status };
    address = new URL(location, address).href;
  }
  throw new Error("redirects without end");
}

/** Signs in where `address` leads, and consents. Gives what stands in the address that the browser is sent back to. */
async function signIn(subject, address) {
  const cookies = new Map();
  let seen = await browse(cookies, address);
  for (const form of [{ prompt: "login", login: subject, password: "any" }, { prompt: "consent" }]) {
    if (!seen.page) break;
    const action = /action="([^"]+)"/.exec(seen.page)?.[1] ?? seen.address;
    seen = await browse(cookies, new URL(action, seen.address).href, new URLSearchParams(form));
  }
  return Object.fromEntries(new URL(seen.address).searchParams);
}

async function idToken(subject, client) {
  const verifier = randomBytes(32).toString("base64url");
  const query = new URLSearchParams({
    client_id: client,
    redirect_uri: redirect,
    response_type: "code",
    scope: "openid",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const { code } = await signIn(subject, `${issuer}/auth?${query}`);
  const response = await fetch(`${issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(`${client}:of-the-test`).toString("base64")}` },
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: redirect,
      code_verifier: verifier,
    }),
  });
  const answer = await response.json();
  if (!answer.id_token) throw new Error(JSON.stringify(answer));
  return answer.id_token;
}

console.log(issuer);
for await (const line of createInterface({ input: process.stdin })) {
  const [what, subject, where] = line.split(" ");
  if (what === "token") console.log(await idToken(subject, where));
  if (what === "browse") console.log(JSON.stringify(await signIn(subject, where)));
  if (what === "callback") console.log(comeBackTo(where));
}
process.exit(0);
