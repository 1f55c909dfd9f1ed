//! Files and functions stay small: a file 400 lines (listed above that, refused above 600), a function 60 (refused
//! above 100).

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::sources::{Finding, Source, refuse, sources};

const FILE: usize = 400;
const FILE_STOP: usize = 600;
const FUNCTION: usize = 60;
const FUNCTION_STOP: usize = 100;

/// Every function of a file with its first line and its length.
#[derive(Default)]
struct Functions(Vec<(String, usize, usize)>);

impl Functions {
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let first = signature.span().start().line;
        let last = block.span().end().line;
        self.0.push((signature.ident.to_string(), first, last + 1 - first));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }
    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }
    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.add(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

/// What is longer than `file` and `function` lines.
fn over(source: &Source, file: usize, function: usize) -> Vec<Finding> {
    let mut found = Vec::new();
    let lines = source.text.lines().count();
    if lines > file {
        found.push(Finding::new(
            &source.path,
            1,
            format!("the file has {lines} lines, {file} are allowed"),
        ));
    }
    let mut functions = Functions::default();
    functions.visit_file(&source.tree);
    for (name, first, length) in functions.0 {
        if length > function {
            let what = format!("the function {name} has {length} lines, {function} are allowed");
            found.push(Finding::new(&source.path, first, what));
        }
    }
    found
}

fn everything() -> Vec<Source> {
    let mut all = sources("src");
    all.extend(sources("tests"));
    if super::sources::root().join("benches").exists() {
        all.extend(sources("benches"));
    }
    all
}

#[test]
fn files_and_functions_are_small() {
    let all = everything();
    for finding in all.iter().flat_map(|s| over(s, FILE, FUNCTION)) {
        eprintln!("over budget: {finding}");
    }
    let findings: Vec<Finding> = all.iter().flat_map(|s| over(s, FILE_STOP, FUNCTION_STOP)).collect();
    refuse(&findings);
}

#[test]
fn budgets_bite() {
    let body = "    let _ = 1;\n".repeat(8);
    let source = Source::planted("src/a.rs", &format!("struct S;\nimpl S {{\nfn f() {{\n{body}}}\n}}\n"));
    assert!(over(&source, 13, 10).is_empty());
    let found = over(&source, 12, 9);
    assert_eq!(found.iter().map(|f| f.line).collect::<Vec<_>>(), [1, 3]);
}
