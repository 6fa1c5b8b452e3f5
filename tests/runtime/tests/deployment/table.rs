//! The table.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeDefinition, KeySchemaElement, Projection};
use runtime::deployment::{required, template};
use saasctl::template::{elements, text};
use serde_json::Value;

use super::system;

#[tokio::test]
async fn the_embedded_table_matches_the_template() {
    let system = system().await;
    let endpoint = system.database_url().expect("the system has its own database");
    let client = local::database::client(endpoint, "us-east-1");
    let name = &system.variables["TABLE_NAME"];
    let described = client.describe_table().table_name(name).send().await;
    let table = described.expect("the table is there").table.expect("a description");
    let expiry = client.describe_time_to_live().table_name(name).send().await;
    let expiry = expiry.expect("the table is there").time_to_live_description.expect("an expiry");

    let stack = template().deploy(&required()).expect("the template deploys");
    let properties = stack.properties("Table");
    let property = |path: &[&str]| path.iter().fold(properties, |value, name| &value[*name]);
    let text = |value: &Value| text(value).expect("a text");

    let attributes: BTreeSet<(String, String)> = elements(property(&["AttributeDefinitions"]))
        .map(|each| (text(&each["AttributeName"]), text(&each["AttributeType"])))
        .collect();
    let defined = |each: &AttributeDefinition| {
        (each.attribute_name().to_owned(), each.attribute_type().as_str().to_owned())
    };
    assert_eq!(
        table.attribute_definitions().iter().map(defined).collect::<BTreeSet<_>>(),
        attributes
    );

    let keys = |value: &Value| -> Vec<(String, String)> {
        elements(value).map(|each| (text(&each["AttributeName"]), text(&each["KeyType"]))).collect()
    };
    let keyed = |schema: &[KeySchemaElement]| -> Vec<(String, String)> {
        let one = |each: &KeySchemaElement| {
            (each.attribute_name().to_owned(), each.key_type().as_str().to_owned())
        };
        schema.iter().map(one).collect()
    };
    assert_eq!(keyed(table.key_schema()), keys(property(&["KeySchema"])));

    let indexes: BTreeSet<_> = elements(property(&["GlobalSecondaryIndexes"]))
        .map(|each| {
            let projection = &each["Projection"];
            let more: BTreeSet<_> = elements(&projection["NonKeyAttributes"]).map(text).collect();
            let projected = (text(&projection["ProjectionType"]), more);
            (text(&each["IndexName"]), keys(&each["KeySchema"]), projected)
        })
        .collect();
    let projected = |projection: Option<&Projection>| {
        let projection = projection.expect("a projection");
        let more: BTreeSet<_> = projection.non_key_attributes().iter().cloned().collect();
        (projection.projection_type().expect("a kind").as_str().to_owned(), more)
    };
    let indexed: BTreeSet<_> = table
        .global_secondary_indexes()
        .iter()
        .map(|index| {
            let name = index.index_name().expect("a name").to_owned();
            (name, keyed(index.key_schema()), projected(index.projection()))
        })
        .collect();
    assert_eq!(indexed, indexes);
    assert_eq!(table.local_secondary_indexes().len(), 0);

    let stream = table.stream_specification().and_then(|stream| stream.stream_view_type());
    let view = property(&["StreamSpecification", "StreamViewType"]);
    assert_eq!(stream.expect("a stream").as_str(), text(view));
    assert_eq!(expiry.time_to_live_status().expect("a state").as_str(), "ENABLED");
    let attribute = property(&["TimeToLiveSpecification", "AttributeName"]);
    assert_eq!(expiry.attribute_name().expect("an attribute"), text(attribute));
    assert_eq!(text(property(&["TimeToLiveSpecification", "Enabled"])), "true");
    let billing = table.billing_mode_summary().and_then(|summary| summary.billing_mode());
    assert_eq!(billing.expect("a mode").as_str(), text(property(&["BillingMode"])));
}
