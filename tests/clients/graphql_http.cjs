// Runs the audits of the draft "GraphQL over HTTP" (package graphql-http) against the server at argument 1, with the token of
// argument 2. Prints as JSON what each found: its id, its text, and `ok`, `notice` (a MAY), `warn` (a SHOULD) or `error` (a MUST).
const { auditServer } = require("graphql-http");

const [url, token] = process.argv.slice(2);

async function main() {
  const results = await auditServer({
    url,
    fetchFn: (address, init = {}) =>
      fetch(address, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } }),
  });
  console.log(JSON.stringify(results.map(({ id, name, status, reason }) => ({ id, name, status, reason }))));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
