// A certified OpenID Connect provider (npm's oidc-provider) on a loopback port that the system chooses. Prints its issuer, then one
// ID token after another: for each line that it reads, "<subject> <audience>", it signs the subject in as a browser would —
// authorization code with PKCE, login, consent — and prints the token that the client got.
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const { Provider } = await import(process.env.OIDC_PROVIDER);
console.warn = console.info = () => {}; // it warns of what a test needs: keys and pages of its own

const server = createServer();
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;
const redirect = `${issuer}/callback`;
const provider = new Provider(issuer, {
  clients: ["registry", "another"].map((client_id) => ({
    client_id,
    client_secret: "of-the-test",
    redirect_uris: [redirect],
    grant_types: ["authorization_code"],
    response_types: ["code"],
  })),
  claims: { openid: ["sub", "repository"] },
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, repository: `acme/${id}` }) }),
});
server.on("request", provider.callback());

/** Follows redirects as a browser does, with its cookies, until one leads back to the client. */
async function browse(cookies, address, form) {
  for (let hop = 0; hop < 20; hop += 1) {
    if (address.startsWith(redirect)) return { address };
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

async function idToken(subject, client) {
  const cookies = new Map();
  const verifier = randomBytes(32).toString("base64url");
  const query = new URLSearchParams({
    client_id: client,
    redirect_uri: redirect,
    response_type: "code",
    scope: "openid",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  let seen = await browse(cookies, `${issuer}/auth?${query}`);
  for (const form of [{ prompt: "login", login: subject, password: "any" }, { prompt: "consent" }]) {
    if (!seen.page) break;
    const action = /action="([^"]+)"/.exec(seen.page)?.[1] ?? seen.address;
    seen = await browse(cookies, new URL(action, seen.address).href, new URLSearchParams(form));
  }
  const code = new URL(seen.address).searchParams.get("code");
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
  const [subject, client] = line.split(" ");
  console.log(await idToken(subject, client));
}
process.exit(0);
