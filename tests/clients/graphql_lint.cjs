// Lints schema.graphql (argument 1) with the rules that graphql-eslint recommends for schemas, Relay's among them, but for
// what GitLab's schema has otherwise throughout. Prints what is found as JSON: the rule, the line and the text of each finding.
const { ESLint } = require("eslint");
const graphql = require("@graphql-eslint/eslint-plugin");
const fs = require("fs");
const path = require("path");

const schema = path.resolve(process.argv[2]);

const rules = {
  ...graphql.configs["flat/schema-recommended"].rules,
  ...graphql.configs["flat/schema-relay"].rules,
  // GitLab's ids have a scalar of their own for each class.
  "@graphql-eslint/strict-id-in-types": "off",
  // GitLab's schema has no interface Node, and lists beside its connections.
  "@graphql-eslint/relay-edge-types": ["error", { listTypeCanWrapOnlyEdgeType: false, shouldImplementNode: false }],
};

async function main() {
  const eslint = new ESLint({
    cwd: path.dirname(schema),
    overrideConfigFile: true,
    overrideConfig: [
      {
        files: ["**/*.graphql"],
        languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema } } },
        plugins: { "@graphql-eslint": graphql },
        rules,
      },
    ],
  });
  const [result] = await eslint.lintText(fs.readFileSync(schema, "utf8"), { filePath: schema });
  const findings = result.messages.map((message) => ({
    rule: message.ruleId === null ? "parse" : message.ruleId.replace("@graphql-eslint/", ""),
    line: message.line,
    text: message.message,
  }));
  console.log(JSON.stringify(findings));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
