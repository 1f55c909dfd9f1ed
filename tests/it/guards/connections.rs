//! Inside a transaction nothing takes a second connection: with as many transactions as the pool has connections each would
//! wait for the others. Rights are asked by their `_in` forms there, and statements run on the transaction.

use syn::visit::{self, Visit};
use syn::{Expr, FnArg, Member, Pat, Type};

use super::sources::{Finding, Source, refuse, sources};

/// Questions to `kernel::access` that go to the database on a connection of their own.
const QUESTIONS: &[&str] = &[
    "check",
    "require",
    "level",
    "levels",
    "filter",
    "people",
    "find_people",
    "is_active",
    "collections",
    "place_of",
];
/// What runs a statement.
const RUNS: &[&str] = &["all", "one", "opt", "exec"];

struct Inside<'s> {
    source: &'s Source,
    depth: usize,
    found: Vec<Finding>,
}

fn takes_transaction(signature: &syn::Signature) -> bool {
    signature.inputs.iter().any(|input| match input {
        FnArg::Typed(typed) => match &*typed.ty {
            Type::Reference(to) => {
                matches!(&*to.elem, Type::Path(of) if of.path.segments.last().is_some_and(|s| s.ident == "Tx"))
            }
            _ => false,
        },
        FnArg::Receiver(_) => false,
    })
}

/// The last name of an expression: `db` of `&self.kernel.db`.
fn last_name(expression: &Expr) -> String {
    match expression {
        Expr::Reference(inner) => last_name(&inner.expr),
        Expr::Field(field) => match &field.member {
            Member::Named(name) => name.to_string(),
            Member::Unnamed(_) => String::new(),
        },
        Expr::MethodCall(call) => call.method.to_string(),
        Expr::Path(path) => path
            .path
            .segments
            .last()
            .map(|s| s.ident.to_string())
            .unwrap_or_default(),
        _ => String::new(),
    }
}

impl Inside<'_> {
    /// A function begins anew, wherever it stands.
    fn function(&mut self, signature: &syn::Signature, visit: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.depth, usize::from(takes_transaction(signature)));
        visit(self);
        self.depth = before;
    }
}

impl<'ast> Visit<'ast> for Inside<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, |it| visit::visit_item_fn(it, item));
    }
    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, |it| visit::visit_impl_item_fn(it, item));
    }
    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        let is_write = closure
            .inputs
            .iter()
            .any(|input| matches!(input, Pat::Ident(name) if name.ident == "tx"));
        self.depth += usize::from(is_write);
        visit::visit_expr_closure(self, closure);
        self.depth -= usize::from(is_write);
    }
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let name = call.method.to_string();
        let asks = QUESTIONS.contains(&name.as_str()) && last_name(&call.receiver) == "access";
        let runs = RUNS.contains(&name.as_str()) && call.args.iter().any(|argument| last_name(argument) == "db");
        if self.depth > 0 && (asks || runs) {
            let line = call.method.span().start().line;
            let what = format!("{name}() takes a second connection inside a transaction");
            self.found.push(Finding::new(&self.source.path, line, what));
        }
        visit::visit_expr_method_call(self, call);
    }
}

fn second_connections(source: &Source) -> Vec<Finding> {
    let mut inside = Inside {
        source,
        depth: 0,
        found: Vec::new(),
    };
    inside.visit_file(&source.tree);
    inside.found
}

#[test]
fn a_transaction_takes_no_second_connection() {
    let found: Vec<Finding> = sources("src").iter().flat_map(second_connections).collect();
    refuse(&found);
}

#[test]
fn a_second_connection_is_found() {
    let planted = "
impl Service {
    async fn inside(&self, tx: &mut Tx<'_>) -> Result<()> {
        self.access.require(by, P, &Object::House).await?;
        sql(\"SELECT 1\").one(&self.db).await
    }
    async fn outside(&self) -> Result<()> {
        self.access.check(by, P, &Object::House).await?;
        self.db.write(w, |tx| Box::pin(async move { self.access.people(&ids).await })).await
    }
    async fn right(&self, tx: &mut Tx<'_>) -> Result<()> {
        self.access.require_in(tx, by, P, &Object::House).await?;
        sql(\"SELECT 1\").one(tx).await
    }
}";
    let found = second_connections(&Source::planted("src/x.rs", planted));
    let lines: Vec<usize> = found.iter().map(|finding| finding.line).collect();
    assert_eq!(lines, [4, 5, 9]);
}
