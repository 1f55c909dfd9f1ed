//! Finds the statements in the sources: every `sql("…")`, `pick("…", "…")`, `insert_many(…)` and `Filter`, with the text
//! that will reach the engine. What is not a literal, a constant of the same file or a choice between those is a finding.

use std::collections::HashMap;

use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, Token};

use super::filters::{Beginning, Begun, Condition, Scope, assemble};
use super::sources::{Finding, Source};

/// Which engine a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    Both,
    Sqlite,
    Postgres,
}

/// One statement.
#[derive(Clone, Debug)]
pub struct Statement {
    pub path: String,
    pub line: usize,
    pub engine: For,
    pub text: String,
}

/// Everything found in the sources.
#[derive(Default)]
pub struct Found {
    pub statements: Vec<Statement>,
    pub findings: Vec<Finding>,
    /// Uses of `pick`, by file.
    pub picks: Vec<String>,
}

struct Reader<'s> {
    path: &'s str,
    constants: HashMap<String, Expr>,
    found: Found,
    /// The functions around what is read, innermost last.
    open: Vec<Scope>,
    closed: Vec<Scope>,
    depth: usize,
}

/// The builder itself, whose texts come from its callers, and tests.
fn skipped(path: &str) -> bool {
    path == "src/kernel/db/build.rs" || path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// Reads all statements of `sources`, leaving out tests: they make tables of their own.
pub fn read(sources: &[Source]) -> Found {
    let mut all = Found::default();
    for source in sources.iter().filter(|s| !skipped(&s.path)) {
        let mut reader = Reader {
            path: &source.path,
            constants: HashMap::new(),
            found: Found::default(),
            open: vec![Scope::default()],
            closed: Vec::new(),
            depth: 0,
        };
        Constants(&mut reader.constants).visit_file(&source.tree);
        reader.visit_file(&source.tree);
        reader.finish_filters();
        all.statements.append(&mut reader.found.statements);
        all.findings.append(&mut reader.found.findings);
        all.picks.append(&mut reader.found.picks);
    }
    all
}

struct Constants<'c>(&'c mut HashMap<String, Expr>);
impl<'ast> Visit<'ast> for Constants<'_> {
    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.0.insert(item.ident.to_string(), (*item.expr).clone());
    }
    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.0.insert(item.ident.to_string(), item.expr.clone());
    }
}

fn in_tests(attributes: &[syn::Attribute]) -> bool {
    attributes
        .iter()
        .any(|a| a.path().is_ident("cfg") && a.parse_args::<syn::Path>().is_ok_and(|p| p.is_ident("test")))
}

fn last_name(path: &syn::Path) -> String {
    path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default()
}

fn is_filter_new(expr: &Expr) -> bool {
    let Expr::Path(path) = expr else { return false };
    let names: Vec<String> = path.path.segments.iter().map(|s| s.ident.to_string()).collect();
    names.ends_with(&["Filter".to_owned(), "new".to_owned()])
}

impl Reader<'_> {
    fn line(&self, at: &impl Spanned) -> usize {
        at.span().start().line
    }

    fn unreadable(&mut self, at: &impl Spanned, what: &str) {
        let finding = Finding::new(self.path, self.line(at), what);
        self.found.findings.push(finding);
    }

    /// Every text an expression can be.
    fn texts(&self, expr: &Expr) -> Option<Vec<String>> {
        let tail = |block: &syn::Block| match block.stmts.last() {
            Some(syn::Stmt::Expr(expr, None)) => self.texts(expr),
            _ => None,
        };
        match expr {
            Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(text),
                ..
            }) => Some(vec![text.value()]),
            Expr::Paren(inner) => self.texts(&inner.expr),
            Expr::Reference(inner) => self.texts(&inner.expr),
            Expr::Path(path) => self.constants.get(&last_name(&path.path)).and_then(|c| self.texts(c)),
            Expr::If(choice) => {
                let mut all = tail(&choice.then_branch)?;
                all.extend(self.texts(&choice.else_branch.as_ref()?.1)?);
                Some(all)
            }
            Expr::Block(block) => tail(&block.block),
            Expr::Match(choice) => {
                let arms: Option<Vec<Vec<String>>> = choice.arms.iter().map(|arm| self.texts(&arm.body)).collect();
                Some(arms?.concat())
            }
            Expr::Macro(call) if call.mac.path.is_ident("concat") => {
                let parts = call
                    .mac
                    .parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated)
                    .ok()?;
                let parts: Option<Vec<String>> = parts.iter().map(|p| self.texts(p).map(|t| t.concat())).collect();
                Some(vec![parts?.concat()])
            }
            _ => None,
        }
    }

    /// The texts of a list of literals.
    fn list(&self, expr: &Expr) -> Option<Vec<String>> {
        match expr {
            Expr::Reference(inner) => self.list(&inner.expr),
            Expr::Array(array) => array.elems.iter().map(|e| self.texts(e).map(|t| t.concat())).collect(),
            Expr::Path(path) => self.constants.get(&last_name(&path.path)).and_then(|c| self.list(c)),
            _ => None,
        }
    }

    fn add(&mut self, line: usize, engine: For, text: String) {
        self.found.statements.push(Statement {
            path: self.path.to_owned(),
            line,
            engine,
            text,
        });
    }

    fn statement(&mut self, call: &syn::ExprCall, argument: &Expr, engine: For) {
        let line = self.line(call);
        match self.texts(argument) {
            Some(texts) => texts.into_iter().for_each(|text| self.add(line, engine, text)),
            None => self.unreadable(call, "the text of a statement is a literal"),
        }
    }

    fn insert_many(&mut self, call: &syn::ExprCall) {
        let arguments: Vec<&Expr> = call.args.iter().collect();
        let [_, table, columns, tail, _] = arguments[..] else {
            return;
        };
        let (Some(table), Some(columns), Some(tail)) = (self.texts(table), self.list(columns), self.texts(tail)) else {
            return self.unreadable(call, "table, columns and tail of insert_many are literals");
        };
        let places: Vec<String> = (1..=columns.len()).map(|n| format!("${n}")).collect();
        let line = self.line(call);
        for tail in tail {
            let text = format!(
                "INSERT INTO {} ({}) VALUES ({}) {tail}",
                table.concat(),
                columns.join(", "),
                places.join(", ")
            );
            self.add(line, For::Both, text);
        }
    }

    /// Takes a chain apart down to its root; true if the root is `Filter::new`.
    fn filter_chain(&mut self, call: &syn::ExprMethodCall) -> bool {
        let mut conditions = Vec::new();
        let mut ends = Vec::new();
        let mut at: &Expr = &Expr::MethodCall(call.clone());
        let owned = at.clone();
        at = &owned;
        while let Expr::MethodCall(link) = at {
            let name = link.method.to_string();
            match (name.as_str(), link.args.len()) {
                ("and" | "and_all" | "and_some" | "and_in", 2) => match self.texts(&link.args[0]) {
                    Some(texts) => conditions.push(Condition {
                        texts,
                        list: name == "and_in",
                    }),
                    None => self.unreadable(link, "a condition of a Filter is a literal"),
                },
                ("end", 2) => match self.texts(&link.args[0]) {
                    Some(texts) => ends.extend(texts),
                    None => self.unreadable(link, "the order of a Filter is a literal"),
                },
                _ => {}
            }
            at = &link.receiver;
        }
        conditions.reverse();
        if let Expr::Call(root) = at
            && is_filter_new(&root.func)
        {
            self.begin(root, conditions, ends);
            return true;
        }
        let scope = self.scope();
        scope.loose.extend(conditions);
        scope.loose_ends.extend(ends);
        false
    }

    fn scope(&mut self) -> &mut Scope {
        if self.open.is_empty() {
            self.open.push(Scope::default());
        }
        let last = self.open.len() - 1;
        &mut self.open[last]
    }

    fn begin(&mut self, root: &syn::ExprCall, conditions: Vec<Condition>, ends: Vec<String>) {
        let line = self.line(root);
        let Some(argument) = root.args.first() else { return };
        let parameter = match argument {
            Expr::Path(path) => {
                let name = last_name(&path.path);
                self.scope().parameters.iter().position(|p| *p == name)
            }
            _ => None,
        };
        let beginning = match (parameter, self.texts(argument)) {
            (Some(at), _) => Beginning::Parameter(at),
            (None, Some(texts)) => Beginning::Texts(texts),
            (None, None) => return self.unreadable(root, "a Filter starts from a literal"),
        };
        self.scope().filters.push(Begun {
            line,
            beginning,
            conditions,
            ends,
        });
    }

    fn enter(&mut self, signature: &syn::Signature) {
        let parameters = signature.inputs.iter().map(|input| match input {
            syn::FnArg::Typed(typed) => match &*typed.pat {
                syn::Pat::Ident(name) => name.ident.to_string(),
                _ => String::new(),
            },
            syn::FnArg::Receiver(_) => String::new(),
        });
        let helper = matches!(&signature.output, syn::ReturnType::Type(_, output)
            if matches!(&**output, syn::Type::Path(path) if last_name(&path.path) == "Filter"));
        let (name, parameters) = (signature.ident.to_string(), parameters.collect());
        self.open.push(Scope {
            name,
            parameters,
            helper,
            ..Scope::default()
        });
    }

    fn leave(&mut self) {
        self.closed.extend(self.open.pop());
    }

    fn finish_filters(&mut self) {
        self.closed.append(&mut self.open);
        let (statements, unreadable) = assemble(&self.closed, |e| self.texts(e));
        statements
            .into_iter()
            .for_each(|(line, text)| self.add(line, For::Both, text));
        let what = "a Filter starts from a literal";
        self.found
            .findings
            .extend(unreadable.into_iter().map(|line| Finding::new(self.path, line, what)));
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !in_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.enter(&item.sig);
        visit::visit_item_fn(self, item);
        self.leave();
    }
    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.enter(&item.sig);
        visit::visit_impl_item_fn(self, item);
        self.leave();
    }
    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let (syn::Pat::Ident(name), Some(init)) = (&local.pat, &local.init) {
            self.constants.insert(name.ident.to_string(), (*init.expr).clone());
        }
        visit::visit_local(self, local);
    }
    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Expr::Path(path) = &*call.func {
            match (last_name(&path.path).as_str(), call.args.len()) {
                ("sql", 1) => self.statement(call, &call.args[0], For::Both),
                ("pick", 2) => {
                    self.found.picks.push(self.path.to_owned());
                    self.statement(call, &call.args[0], For::Sqlite);
                    self.statement(call, &call.args[1], For::Postgres);
                }
                ("insert_many", 5) => self.insert_many(call),
                ("new", 1) if self.depth == 0 && is_filter_new(&call.func) => self.begin(call, Vec::new(), Vec::new()),
                (name, _) => {
                    let (line, name) = (self.line(call), name.to_owned());
                    let arguments = call.args.iter().cloned().collect();
                    self.scope().calls.push((line, name, arguments));
                }
            }
        }
        visit::visit_expr_call(self, call);
    }
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        // The outermost link reads the whole chain; the links below it are only looked into for their arguments.
        let rooted = if self.depth == 0 { self.filter_chain(call) } else { true };
        self.depth += usize::from(rooted);
        self.visit_expr(&call.receiver);
        self.depth -= usize::from(rooted);
        let outer = std::mem::take(&mut self.depth);
        call.args.iter().for_each(|a| self.visit_expr(a));
        self.depth = outer;
    }
    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        if let Ok(parts) = mac.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
            parts.iter().for_each(|e| self.visit_expr(e));
        } else if let Ok(body) = mac.parse_body_with(syn::Block::parse_within) {
            body.iter().for_each(|s| self.visit_stmt(s));
        } else if mac.tokens.to_string().contains("sql (\"") {
            self.unreadable(mac, "a statement inside a macro cannot be read; take it out");
        }
    }
}
