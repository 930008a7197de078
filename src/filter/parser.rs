//! From words to a tree.
//!
//! The parser recurses, at most a few calls for each level that is open, and there are at most
//! [`Filter::DEPTH_MAX`] of them, or twice as many in what was printed. Long chains are loops.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Filter;
use super::error::FilterProblem;
use super::lexer::{Lexer, Token};
use super::tree::{Comparison, Connective, Expression, Function, Property, Unknown};

type Result<T> = core::result::Result<T, FilterProblem>;

/// Parses a whole text of at most so many bytes, of which at most so many levels are open at once.
pub(super) fn parse(text: &str, most: usize, levels: usize) -> Result<Expression> {
    let bytes = text.len();
    if bytes > most {
        return Err(FilterProblem::TooLong { bytes, most });
    }
    let mut lexer = Lexer::new(text);
    let (at, token) = lexer.next()?;
    let mut parser = Parser { lexer, at, token, open: 0, levels };
    let parsed = parser.operation(Tightness::Or)?;
    match parser.token {
        Token::End => Ok(parsed.expression),
        other => Err(other.unexpected(parser.at)),
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The token that comes next, and where it begins.
    token: Token<'a>,
    at: usize,
    /// How many parentheses, calls, lists and negations are open.
    open: usize,
    /// The most that may be.
    levels: usize,
}

/// A part of the tree, and how deep it is.
struct Parsed {
    expression: Expression,
    depth: usize,
}

/// How tightly an operator binds what stands on its sides, from loose to tight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    Or,
    And,
    Comparison,
    Operand,
}

/// What becomes of empty items: lists after `in` skip them (`webpubsub.md` 9.8).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gaps {
    Skipped,
    Refused,
}

enum Operator {
    Connective(Connective),
    Comparison(Comparison),
}

impl Parser<'_> {
    /// Parses operands with operators between them that bind at least so tightly; of the same they belong to the left.
    fn operation(&mut self, least: Tightness) -> Result<Parsed> {
        let mut left = self.operand()?;
        while let Token::Word(word) = self.token {
            let (operator, tightness) = match word {
                "or" => (Operator::Connective(Connective::Or), Tightness::Or),
                "and" => (Operator::Connective(Connective::And), Tightness::And),
                _ => match Comparison::named(word) {
                    Some(comparison) => (Operator::Comparison(comparison), Tightness::Comparison),
                    None => return Err(FilterProblem::NotSupported(word.into())),
                },
            };
            if tightness < least {
                break;
            }
            self.advance()?;
            let right = self.operation(match tightness {
                Tightness::Or => Tightness::And,
                Tightness::And => Tightness::Comparison,
                Tightness::Comparison | Tightness::Operand => Tightness::Operand,
            })?;
            left = match operator {
                Operator::Connective(connective) => join(connective, left, right)?,
                Operator::Comparison(comparison) => {
                    let depth = left.depth.max(right.depth);
                    let sides = Box::new([left.expression, right.expression]);
                    above(depth, Expression::Compared(comparison, sides))?
                }
            };
        }
        Ok(left)
    }

    /// Parses an operand, with the negations before it and what it is searched for in behind it.
    fn operand(&mut self) -> Result<Parsed> {
        if self.token == Token::Word("not") {
            self.advance()?;
            let Parsed { expression, depth } = self.inside(Self::operand)?;
            return above(depth, Expression::Not(Box::new(expression)));
        }
        let mut value = self.primary()?;
        while self.token == Token::Word("in") {
            self.advance()?;
            value = if self.token == Token::Open {
                let (items, depth) = self.list(Gaps::Skipped)?;
                let depth = depth.max(value.depth);
                above(depth, Expression::InList(Box::new(value.expression), items))?
            } else {
                let collection = self.primary()?;
                let depth = value.depth.max(collection.depth);
                let sides = Box::new([value.expression, collection.expression]);
                above(depth, Expression::InCollection(sides))?
            };
        }
        Ok(value)
    }

    fn primary(&mut self) -> Result<Parsed> {
        let (at, token) = (self.at, self.token);
        self.advance()?;
        let leaf = match token {
            Token::Open => {
                let parsed = self.inside(|parser| parser.operation(Tightness::Or))?;
                self.expect(Token::Close)?;
                return Ok(parsed);
            }
            Token::Word(name) if self.token == Token::Open => return self.call(name),
            Token::Word("null") => Expression::Null,
            Token::Word("true") => Expression::Bool(true),
            Token::Word("false") => Expression::Bool(false),
            Token::Word(name) => match Property::named(name) {
                Some(property) => Expression::Property(property),
                None => unknown(name, None),
            },
            Token::Number(digits) => match digits.parse() {
                Ok(number) => Expression::Int(number),
                Err(_) => unknown(digits, None),
            },
            Token::Text(text) => Expression::Text(text.replace("''", "'").into()),
            Token::Close | Token::Comma | Token::Other(_) | Token::End => {
                return Err(token.unexpected(at));
            }
        };
        above(0, leaf)
    }

    fn call(&mut self, name: &str) -> Result<Parsed> {
        let (arguments, depth) = self.list(Gaps::Refused)?;
        above(
            depth,
            match Function::named(name) {
                Some(function) => Expression::Call(function, arguments),
                None => unknown(name, Some(arguments)),
            },
        )
    }

    /// Parses items in parentheses, and tells how deep the deepest is.
    fn list(&mut self, gaps: Gaps) -> Result<(Vec<Expression>, usize)> {
        self.expect(Token::Open)?;
        let (mut items, mut depth) = (Vec::new(), 0);
        loop {
            match self.token {
                Token::Close => break,
                Token::Comma if gaps == Gaps::Skipped => self.advance()?,
                Token::Comma
                | Token::Open
                | Token::Word(_)
                | Token::Number(_)
                | Token::Text(_)
                | Token::Other(_)
                | Token::End => {
                    let item = self.inside(|parser| parser.operation(Tightness::Or))?;
                    depth = depth.max(item.depth);
                    items.push(item.expression);
                    if self.token != Token::Close {
                        self.expect(Token::Comma)?;
                        if self.token == Token::Close && gaps == Gaps::Refused {
                            return Err(self.token.unexpected(self.at));
                        }
                    }
                }
            }
        }
        self.advance()?;
        Ok((items, depth))
    }

    /// Goes one level deeper for a while.
    fn inside(&mut self, parse: impl FnOnce(&mut Self) -> Result<Parsed>) -> Result<Parsed> {
        if self.open == self.levels {
            return Err(FilterProblem::TooDeep { most: Filter::DEPTH_MAX });
        }
        self.open += 1;
        let parsed = parse(self);
        self.open -= 1;
        parsed
    }

    fn expect(&mut self, token: Token<'_>) -> Result<()> {
        if self.token == token { self.advance() } else { Err(self.token.unexpected(self.at)) }
    }

    fn advance(&mut self) -> Result<()> {
        (self.at, self.token) = self.lexer.next()?;
        Ok(())
    }
}

/// Joins two terms; what is joined in the same way on the left takes in the one on the right.
fn join(connective: Connective, left: Parsed, right: Parsed) -> Result<Parsed> {
    match left.expression {
        Expression::Joined(same, mut terms) if same == connective => {
            terms.push(right.expression);
            let depth = left.depth.max(right.depth + 1);
            bounded(depth)?;
            Ok(Parsed { expression: Expression::Joined(connective, terms), depth })
        }
        other => {
            let terms = Vec::from([other, right.expression]);
            above(left.depth.max(right.depth), Expression::Joined(connective, terms))
        }
    }
}

/// Puts an expression over what is so deep.
fn above(depth: usize, expression: Expression) -> Result<Parsed> {
    bounded(depth + 1)?;
    Ok(Parsed { expression, depth: depth + 1 })
}

fn bounded(depth: usize) -> Result<()> {
    let most = Filter::DEPTH_MAX;
    if depth > most { Err(FilterProblem::TooDeep { most }) } else { Ok(()) }
}

fn unknown(name: &str, arguments: Option<Vec<Expression>>) -> Expression {
    Expression::Unknown(Box::new(Unknown { name: name.into(), arguments }))
}
