//! What a `Filter` becomes: its conditions may stand in a chain, follow in the same function, or be shared by a helper
//! that answers a `Filter` and takes the beginning as an argument. Each way through is one statement.

use syn::Expr;

/// One condition, in each form it can have.
#[derive(Clone)]
pub struct Condition {
    pub texts: Vec<String>,
    /// `column IN (…)`
    pub list: bool,
}

/// What a Filter starts from.
#[derive(Clone)]
pub enum Beginning {
    Texts(Vec<String>),
    /// A parameter of the function, by its place.
    Parameter(usize),
}

#[derive(Clone)]
pub struct Begun {
    pub line: usize,
    pub beginning: Beginning,
    pub conditions: Vec<Condition>,
    pub ends: Vec<String>,
}

/// One function as far as Filters go.
#[derive(Default)]
pub struct Scope {
    pub name: String,
    pub parameters: Vec<String>,
    /// It answers a Filter for its callers to go on with.
    pub helper: bool,
    pub filters: Vec<Begun>,
    /// Conditions and orders of a variable or of what a helper answered.
    pub loose: Vec<Condition>,
    pub loose_ends: Vec<String>,
    /// Line, name and arguments of the functions it calls.
    pub calls: Vec<(usize, String, Vec<Expr>)>,
}

/// Every statement that the Filters of a file can become, with its line; and the lines of those that cannot be read.
pub fn assemble(scopes: &[Scope], texts: impl Fn(&Expr) -> Option<Vec<String>>) -> (Vec<(usize, String)>, Vec<usize>) {
    let mut statements = Vec::new();
    let mut unreadable = Vec::new();
    let mut add = |line: usize, selects: &[String], conditions: &[Condition], ends: &[String]| {
        let open = [String::new()];
        for select in selects {
            for end in if ends.is_empty() { &open } else { ends } {
                statements.push((line, text(select, conditions, end)));
            }
        }
    };
    for scope in scopes {
        for begun in &scope.filters {
            let mut own = begun.clone();
            if own.ends.is_empty() {
                own.conditions.extend(scope.loose.iter().cloned());
                own.ends.clone_from(&scope.loose_ends);
            }
            if !scope.helper {
                match &own.beginning {
                    Beginning::Texts(selects) => add(own.line, selects, &own.conditions, &own.ends),
                    Beginning::Parameter(_) => unreadable.push(own.line),
                }
                continue;
            }
            for caller in scopes {
                for (line, _, arguments) in caller.calls.iter().filter(|(_, name, _)| *name == scope.name) {
                    let selects = match &own.beginning {
                        Beginning::Texts(selects) => Some(selects.clone()),
                        Beginning::Parameter(at) => arguments.get(*at).and_then(&texts),
                    };
                    let Some(selects) = selects else {
                        unreadable.push(*line);
                        continue;
                    };
                    let conditions = [own.conditions.clone(), caller.loose.clone()].concat();
                    let ends = if own.ends.is_empty() {
                        &caller.loose_ends
                    } else {
                        &own.ends
                    };
                    add(*line, &selects, &conditions, ends);
                }
            }
        }
    }
    (statements, unreadable)
}

/// The text that `Filter` builds.
fn text(select: &str, conditions: &[Condition], end: &str) -> String {
    let mut places = 0;
    let mut text = select.to_owned();
    let mut word = " WHERE ";
    for condition in conditions {
        for one in &condition.texts {
            let one = if condition.list {
                format!("{one} IN (?)")
            } else {
                one.clone()
            };
            text.push_str(word);
            word = " AND ";
            for piece in one.split_inclusive('?') {
                match piece.strip_suffix('?') {
                    Some(before) => {
                        places += 1;
                        text.push_str(&format!("{before}${places}"));
                    }
                    None => text.push_str(piece),
                }
            }
        }
    }
    if !end.is_empty() {
        text.push_str(&format!(" {end} LIMIT ${}", places + 1));
    }
    text
}
