//! The embedded database: DynamoDB's protocol on a loopback port, with SQLite behind it.

use std::path::Path;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
    TimeToLiveSpecification,
};
use tokio::task::JoinHandle;

use crate::error::{LocalError, Source};
use crate::server::Port;

/// A running embedded database. Stops when it is dropped.
pub struct Database {
    url: String,
    inner: dynoxide::Database,
    serving: JoinHandle<()>,
}

impl Database {
    /// Starts a database in memory or in a file.
    pub async fn start(file: Option<&Path>) -> Result<Self, LocalError> {
        let database = match file {
            None => dynoxide::Database::memory(),
            Some(file) => dynoxide::Database::new(&file.to_string_lossy()),
        };
        let database = database.map_err(|error| LocalError::Database(error.into()))?;
        let Port { listener, url, .. } = Port::any("the embedded database").await?;
        let serving = tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
        Ok(Self { url, inner: database, serving })
    }

    /// The value for `AWS_ENDPOINT_URL_DYNAMODB`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database without its server, for its stream.
    pub fn inner(&self) -> &dynoxide::Database {
        &self.inner
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A client of the embedded database, for calls that the functions never make.
pub fn client(endpoint: &str, region: &str) -> Client {
    client_as(Credentials::new("local", "local", None, None, "local"), endpoint, region)
}

/// A client with these credentials. Other DynamoDB emulators keep separate tables per credentials.
pub fn client_as(credentials: Credentials, endpoint: &str, region: &str) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(shared::host::http_client::for_aws(Arc::new(
            shared::host::http_client::HttpClient::default(),
        )))
        .credentials_provider(credentials)
        .region(Region::new(region.to_owned()))
        .endpoint_url(endpoint);
    Client::from_conf(config.build())
}

/// A table that has this index has all of them.
const NEWEST_INDEX: &str = "by-search";

/// Creates the table as `template.yaml` describes it, unless it exists.
pub async fn create_table(client: &Client, table: &str) -> Result<(), LocalError> {
    let failed = |source: Source| LocalError::Table { table: table.to_owned(), source };
    match client.describe_table().table_name(table).send().await {
        Ok(there) => {
            let table = there.table.ok_or_else(|| failed("it has no description".into()))?;
            let mut indexes = table.global_secondary_indexes().iter();
            return if indexes.any(|index| index.index_name() == Some(NEWEST_INDEX)) {
                Ok(())
            } else {
                let text =
                    format!("an earlier version created it without the index {NEWEST_INDEX}");
                Err(failed(text.into()))
            };
        }
        Err(SdkError::ServiceError(error)) if error.err().is_resource_not_found_exception() => {}
        Err(error) => return Err(failed(error.into())),
    }
    let text = |name: &str| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
    };
    let key = |name: &str, kind: KeyType| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build()
    };
    let index = |name: &str, hash: &str, range: &str, projection: Projection| {
        GlobalSecondaryIndex::builder()
            .index_name(name)
            .key_schema(key(hash, KeyType::Hash)?)
            .key_schema(key(range, KeyType::Range)?)
            .projection(projection)
            .build()
    };
    let keys = || Projection::builder().projection_type(ProjectionType::KeysOnly).build();
    let with = |names: &[&str]| {
        let names = Some(names.iter().map(|name| (*name).to_owned()).collect());
        let including = Projection::builder().projection_type(ProjectionType::Include);
        including.set_non_key_attributes(names).build()
    };
    let list = |name: &str, hash: &str| index(name, hash, "subscription_id", keys());
    let sorted =
        |name: &str, range: &str| index(name, "listed", range, with(&["status", "offer_id"]));
    let request = || -> Result<_, aws_sdk_dynamodb::error::BuildError> {
        let mut request =
            client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
        for name in [
            "pk",
            "sk",
            "status",
            "offer_id",
            "subscription_id",
            "listed",
            "last_change",
            "term_end",
            "outbox",
            "due_at",
            "search",
        ] {
            request = request.attribute_definitions(text(name)?);
        }
        Ok(request
            .key_schema(key("pk", KeyType::Hash)?)
            .key_schema(key("sk", KeyType::Range)?)
            .global_secondary_indexes(list("by-status", "status")?)
            .global_secondary_indexes(list("by-offer", "offer_id")?)
            .global_secondary_indexes(sorted("by-change", "last_change")?)
            .global_secondary_indexes(sorted("by-term-end", "term_end")?)
            .global_secondary_indexes(index("by-due", "outbox", "due_at", keys())?)
            .global_secondary_indexes(index(
                "by-search",
                "search",
                "subscription_id",
                with(&["term"]),
            )?)
            .stream_specification(
                StreamSpecification::builder()
                    .stream_enabled(true)
                    .stream_view_type(StreamViewType::NewImage)
                    .build()?,
            ))
    };
    let request = request().map_err(|error| failed(error.into()))?;
    request.send().await.map_err(|error| failed(error.into()))?;
    let expiry = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name("expires_at")
        .build()
        .map_err(|error| failed(error.into()))?;
    client
        .update_time_to_live()
        .table_name(table)
        .time_to_live_specification(expiry)
        .send()
        .await
        .map_err(|error| failed(error.into()))?;
    Ok(())
}
