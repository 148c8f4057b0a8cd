//! The keywords for objects, and objects of several forms.

use serde_json::Value;

use super::super::program::{
    MAX_PROPERTIES, ObjectNode, Property, RareNode, RequiredProperty, SchemaNode, TypeSet, UnionNode,
};
use super::{ANYTHING, Compiler, Location, is_plain};
use crate::schema::expects_more;

impl<'c> Compiler<'c> {
    /// Applies the keywords for objects.
    pub(super) fn object(
        &mut self,
        node: &mut SchemaNode,
        schema: &'c Value,
        at: &Location,
        item: Option<usize>,
    ) -> Result<(), String> {
        let (declared, required) = (schema.get("properties"), schema.get("required"));
        let open = match schema.get("additionalProperties") {
            Some(Value::Bool(false)) => false,
            None => true,
            Some(_) if expects_more(schema) => true,
            Some(_) => return Err("additionalProperties with a schema".to_owned()),
        };
        let declared = match declared {
            None if required.is_none() && open && schema.get("dependentRequired").is_none() => return Ok(()),
            None => None,
            Some(Value::Object(declared)) => Some(declared),
            Some(_) => return Err("properties".to_owned()),
        };
        if declared.is_some_and(|declared| declared.len() > MAX_PROPERTIES) {
            return Err(format!("more than {MAX_PROPERTIES} properties"));
        }
        let mut properties = Vec::new();
        for (key, schema) in declared.into_iter().flatten() {
            properties.push(self.property(key, schema, at, item)?);
        }
        let find = |name: &Value| {
            let known = name.as_str().and_then(|name| properties.iter().position(|p| *p.key == *name.as_bytes()));
            known.ok_or_else(|| format!("{name} is required but not declared"))
        };
        let mut bits = 0;
        for name in required.and_then(Value::as_array).into_iter().flatten() {
            let index = find(name)?;
            bits |= 1 << index;
            let (name, node_id) = (name.as_str().unwrap_or_default().to_owned(), properties[index].node.id);
            let required = RequiredProperty { name, index, node: node_id };
            self.sources[usize::from(node.id)].required.push(required);
        }
        let mut dependent = Vec::new();
        for (name, names) in schema.get("dependentRequired").and_then(Value::as_object).into_iter().flatten() {
            let mut demanded = 0;
            for name in names.as_array().into_iter().flatten() {
                demanded |= 1u64 << find(name)?;
            }
            dependent.push((find(&Value::from(name.as_str()))?, demanded));
        }
        let undeclared = |name: &&str| properties.iter().all(|property| *property.key != *name.as_bytes());
        let captured: Vec<_> = self.captured_inside(&at.pointer, item).into_iter().filter(undeclared).collect();
        let mut watched = Vec::new();
        for name in captured {
            // What has none of several forms is not judged, but read.
            if self.schema.arms(schema).is_some() && is_plain(name) && properties.len() < MAX_PROPERTIES {
                properties.push(self.property(name, &ANYTHING, at, item)?);
            } else {
                watched.push(name.as_bytes().into());
            }
        }
        let watched = watched.into();
        let first_order = self.order_of(&properties);
        let dependent = dependent.into();
        node.object = Some(Box::new(ObjectNode { properties, required: bits, open, watched, dependent, first_order }));
        if open && expects_more(schema) {
            expect_more(node);
        }
        Ok(())
    }

    /// Declares these properties of a value, each of which may be anything, if the value is an object; it may have more.
    pub(super) fn undeclared(
        &mut self,
        node: &mut SchemaNode,
        names: &[&'c str],
        at: &Location,
        item: Option<usize>,
    ) -> Result<(), String> {
        let mut properties = Vec::new();
        for name in names {
            properties.push(self.property(name, &ANYTHING, at, item)?);
        }
        let first_order = self.order_of(&properties);
        let (watched, dependent) = (Box::default(), Box::default());
        let object = ObjectNode { properties, required: 0, open: true, watched, dependent, first_order };
        node.object = Some(Box::new(object));
        expect_more(node);
        Ok(())
    }

    /// Adds the entries for the order of an object's properties, and returns the index of the first.
    fn order_of(&mut self, properties: &[Property]) -> usize {
        let first = self.order.len();
        self.order.extend(0..=properties.len() as u8);
        first
    }

    /// Compiles one property of an object.
    fn property(
        &mut self,
        key: &str,
        schema: &'c Value,
        at: &Location,
        item: Option<usize>,
    ) -> Result<Property, String> {
        if !is_plain(key) {
            return Err("a key that needs escapes".to_owned());
        }
        let node = self.node(schema, &at.property(key), item)?;
        let written = format!("\"{key}\":").into_bytes().into();
        Ok(Property { key: key.as_bytes().into(), written, node })
    }

    /// Applies the arms of an object, whose other keywords are applied already.
    pub(super) fn union(
        &mut self,
        node: &mut SchemaNode,
        schema: &'c Value,
        at: &Location,
        item: Option<usize>,
    ) -> Result<(), String> {
        let Some(union) = self.schema.arms(schema) else { return Ok(()) };
        let (mut words, mut arms) = (Vec::new(), Vec::new());
        for (values, arm) in union.each() {
            for value in values {
                if !is_plain(value) {
                    return Err("a union that is told apart by strings that need escapes".to_owned());
                }
                words.push((value.as_bytes().into(), arms.len()));
            }
            arms.push(self.node(arm, at, item)?);
        }
        let key = union.at.as_bytes();
        if !is_plain(union.at) {
            return Err("a key that needs escapes".to_owned());
        }
        let (otherwise, member) = match union.otherwise {
            Some(otherwise) => (self.node(otherwise, at, item)?, node.id),
            None => {
                let common = SchemaNode { object: node.object.take(), types: TypeSet(TypeSet::OBJECT), ..node.clone() };
                let members = common.object.iter().flat_map(|object| &object.properties);
                let member = members.filter(|property| *property.key == *key).map(|property| property.node.id).next();
                (common, member.ok_or("a union without the member that tells it apart")?)
            }
        };
        let is_closed = union.otherwise.is_none();
        let union = UnionNode { key: key.into(), member, words, arms, otherwise, is_closed };
        node.rare = Some(Box::new(RareNode::Union(union)));
        Ok(())
    }
}

/// Lets a value that is an object have more properties than are declared, none of which is unknown then.
fn expect_more(node: &mut SchemaNode) {
    let inner = SchemaNode { object: node.object.take(), ..node.clone() };
    node.rare = Some(Box::new(RareNode::ExpectsMore(inner)));
}
