//! Many packages at once, as rows: publishing them would take minutes.

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait, Value};
use time::{Duration, OffsetDateTime};

use crate::{Project, World};

/// Rows in one statement.
const AT_ONCE: usize = 500;

/// One table's rows on their way.
struct Rows<'a> {
    table: &'static str,
    columns: &'static [&'static str],
    connection: &'a DatabaseConnection,
    values: Vec<Value>,
}

impl Rows<'_> {
    async fn push(&mut self, row: Vec<Value>) {
        assert_eq!(row.len(), self.columns.len());
        self.values.extend(row);
        if self.values.len() >= AT_ONCE * self.columns.len() {
            self.write().await;
        }
    }

    async fn write(&mut self) {
        if self.values.is_empty() {
            return;
        }
        let width = self.columns.len();
        let rows = (0..self.values.len() / width).map(|row| {
            let numbers = (1..=width).map(|column| format!("${}", row * width + column));
            format!("({})", numbers.collect::<Vec<_>>().join(", "))
        });
        let rows: Vec<_> = rows.collect();
        let sql =
            format!("INSERT INTO {} ({}) VALUES {}", self.table, self.columns.join(", "), rows.join(", "));
        let values = std::mem::take(&mut self.values);
        let backend = self.connection.get_database_backend();
        let transaction = self.connection.begin().await.expect("a transaction");
        let statement = Statement::from_sql_and_values(backend, sql, values);
        transaction.execute_raw(statement).await.expect("rows");
        transaction.commit().await.expect("a commit");
    }
}

impl World {
    /// Puts `names` npm packages with `versions` versions of one file each into a project, without bytes: version `1.0.v` of
    /// `bulk-n` was published `v` days ago, and the file of every third version of a name has the content of another name's.
    pub async fn fill(&self, project: &Project, names: i64, versions: i64) {
        let connection = self.store.migration_connection();
        let now = self.now();
        // Instants as the store writes them: with six digits, the last of which is not zero.
        let ago = |days: i64| -> OffsetDateTime { now - Duration::days(days) + Duration::microseconds(1) };
        let rows = |table, columns| Rows { table, columns, connection, values: Vec::new() };
        let first = 1_000_000 * project.id.0;
        let mut name_rows = rows(
            "package_names",
            &["id", "project_id", "format", "name", "name_key", "revision", "created_at", "updated_at"],
        );
        for name in 0..names {
            let text = format!("bulk-{name}");
            let row = vec![
                (first + name).into(),
                project.id.0.into(),
                2_i16.into(),
                text.clone().into(),
                text.into(),
                1_i64.into(),
                ago(versions).into(),
                ago(0).into(),
            ];
            name_rows.push(row).await;
        }
        name_rows.write().await;
        let mut package_rows = rows(
            "packages",
            &[
                "id",
                "name_id",
                "project_id",
                "format",
                "name",
                "version",
                "version_key",
                "version_order",
                "status",
                "metadata",
                "created_at",
                "updated_at",
            ],
        );
        let all = || (0..names).flat_map(|name| (0..versions).map(move |version| (name, version)));
        for (name, version) in all() {
            let text = format!("1.0.{version}");
            let row = vec![
                (first + name * versions + version).into(),
                (first + name).into(),
                project.id.0.into(),
                2_i16.into(),
                format!("bulk-{name}").into(),
                text.clone().into(),
                text.clone().into(),
                text.into(),
                0_i16.into(),
                serde_json::json!({}).into(),
                ago(version).into(),
                ago(version).into(),
            ];
            package_rows.push(row).await;
        }
        package_rows.write().await;
        let mut blob_rows = rows("blobs", &["id", "sha256", "size", "created_at", "removals"]);
        for (name, version) in all() {
            let id = first + name * versions + version;
            let row = vec![
                id.into(),
                format!("{id:064x}").into(),
                (1000 + id % 997).into(),
                ago(version).into(),
                0_i64.into(),
            ];
            blob_rows.push(row).await;
        }
        blob_rows.write().await;
        let mut file_rows = rows(
            "package_files",
            &["package_id", "blob_id", "file_name", "properties", "status", "created_at", "updated_at"],
        );
        for (name, version) in all() {
            let shares = version % 3 == 0;
            let other = if shares { (name + 1) % names } else { name };
            let content = if shares { (version * 7 + 1) % versions } else { version };
            let row = vec![
                (first + name * versions + version).into(),
                (first + other * versions + content).into(),
                format!("bulk-{name}-1.0.{version}.tgz").into(),
                serde_json::json!({}).into(),
                0_i16.into(),
                ago(version).into(),
                ago(version).into(),
            ];
            file_rows.push(row).await;
        }
        file_rows.write().await;
    }

    /// Lets packages of a project keep this many files of one name, from the next look at what is due on.
    pub async fn keep_duplicates(&self, project: &Project, number: i16) {
        let connection = self.store.migration_connection();
        let sql = "INSERT INTO packages_cleanup_policies (project_id, keep_n_duplicated_package_files, next_run_at, \
                   updated_at) VALUES ($1, $2, $3, $3)";
        let now = self.now() + Duration::microseconds(1);
        let values = [Value::from(project.id.0), number.into(), now.into()];
        let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
        connection.execute_raw(statement).await.expect("a row");
    }
}
