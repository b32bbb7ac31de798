//! What a report is made of, for programs that read it.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;

use crate::error::Error;
use crate::report::Report;

/// The JSON Schema (draft 2020-12) of the reports that this version writes, as indented JSON with a newline at its end.
///
/// Keys may be added under the same `schema_version`, so it forbids none that it does not know.
///
/// # Errors
/// If it does not fit into memory.
pub fn schema() -> Result<Vec<u8>, Error> {
    let settings = SchemaSettings::draft2020_12().for_serialize().with_transform(RecursiveTransform(in_words_of_json));
    let schema = settings.into_generator().into_root_schema_for::<Report>();
    let mut bytes = serde_json::to_vec_pretty(&schema)
        .map_err(|error| Error::new("JSON Schema", error.to_string(), "a schema that can be written"))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Descriptions are doc comments: without the brackets of their links, and with the word that JSON has for nothing. What froc
/// refuses to read under a key that it does not know may hold one in the report of a later version.
fn in_words_of_json(schema: &mut Schema) {
    if schema.get("additionalProperties") == Some(&false.into()) {
        schema.remove("additionalProperties");
    }
    if let Some(serde_json::Value::String(description)) = schema.get_mut("description") {
        *description = description.replace("[`", "`").replace("`]", "`").replace("`None`", "`null`").replace('\n', " ");
    }
}
