// A person in Chromium, at the registry whose address is the first argument; root's password is the second. Prints what the person
// saw, as JSON.
import assert from "node:assert/strict";

const { chromium } = await import(process.env.PLAYWRIGHT);
const [registry, password] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM });
const complaints = [];

/** A browser that nobody has used. */
async function fresh() {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on("console", (message) => {
    // A status that is no success is written to the console too: of a wrong password, and of a provider's pages.
    const isOurs = message.location().url.startsWith(registry) && !message.text().includes("status of 422");
    if (isOurs && ["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  return { context, page };
}

async function signIn(page, given) {
  await page.getByLabel("User name or mail address").fill("root");
  await page.getByLabel("Password").fill(given);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** Signs somebody in on the provider's own pages, and consents. */
async function atProvider(page, subject) {
  await page.locator("input[name=login]").fill(subject);
  await page.locator("input[name=password]").fill("any");
  await page.locator("button[type=submit]").click();
  await page.locator("input[name=prompt][value=consent]").waitFor({ state: "attached" });
  await page.locator("button[type=submit]").click();
}

/** A password, a token, and out. */
async function withPassword() {
  const { context, page } = await fresh();
  await page.goto(`${registry}/-/user_settings/personal_access_tokens`);
  await signIn(page, "a wrong one");
  await page.getByRole("alert").filter({ hasText: "Invalid login or password." }).waitFor();
  assert.equal(await page.getByLabel("User name or mail address").inputValue(), "root");
  await signIn(page, password);
  await page.waitForURL(`${registry}/-/user_settings/personal_access_tokens`);
  assert.equal(await page.evaluate(() => document.cookie), "", "no script reads a cookie");

  await page.getByLabel("Name", { exact: true }).fill("made in a browser");
  await page.getByRole("checkbox", { name: "api Everything you may do" }).check();
  await page.getByRole("button", { name: "Create token" }).click();
  const token = await page.getByLabel("Your new token").inputValue();
  await page.goto(`${registry}/-/user_settings/personal_access_tokens`);
  assert.ok(!(await page.content()).includes(token), "the token is shown once");
  await page.getByRole("button", { name: "Revoke made in a browser" }).waitFor();

  // An account at the provider is linked from here.
  await page.getByRole("link", { name: "root" }).click();
  await page.getByRole("button", { name: "Link people" }).click();
  await atProvider(page, "boss");
  await page.getByRole("button", { name: "Unlink people" }).waitFor();
  assert.equal(page.url(), `${registry}/-/user_settings/account`);

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("status").filter({ hasText: "You are signed out." }).waitFor();
  await page.goto(`${registry}/-/user_settings/account`);
  await page.waitForURL(`${registry}/users/sign_in?**`);
  await context.close();
  return token;
}

/** By way of the provider: whoever is linked is who it was, whoever is not becomes a user. */
async function withProvider(subject, username) {
  const { context, page } = await fresh();
  await page.goto(`${registry}/-/user_settings/account`);
  await page.getByRole("button", { name: "Sign in with people" }).click();
  await atProvider(page, subject);
  await page.waitForURL(`${registry}/-/user_settings/account`);
  await page.getByRole("link", { name: username, exact: true }).waitFor();
  const cookies = (await context.cookies(registry)).map(({ name }) => name);
  assert.deepEqual(cookies.filter((name) => name.startsWith("_entrepot")), ["_entrepot_session"], "the others are gone");
  await context.close();
}

try {
  const token = await withPassword();
  await withProvider("boss", "root");
  await withProvider("ann", "ann");
  console.log(JSON.stringify({ token, complaints }));
} finally {
  await browser.close();
}
