//! Functions applied to the outputs of a product while they are in the first cache.

use crate::vector::{Vector, gelu, gelu_tanh, relu, tanh};

/// What is applied to each value at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// x Φ(x).
    Gelu,
    /// GELU by its tanh formula.
    GeluTanh,
    /// max(x, 0).
    Relu,
    /// tanh x.
    Tanh,
}

/// A function of one register. A trait and not a closure: a closure is a function of its own, compiled without
/// the instruction set, and every intrinsic in it becomes a call (it cost half of the encoder's time).
pub(crate) trait Unary {
    unsafe fn of<V: Vector>(x: V) -> V;
}

/// Makes a type of each function.
macro_rules! unary {
    ($($name:ident: $f:expr;)*) => {$(
        pub(crate) struct $name;
        // SAFETY: see `Vector`.
        impl Unary for $name {
            #[inline(always)]
            unsafe fn of<V: Vector>(x: V) -> V {
                unsafe { $f(x) }
            }
        }
    )*};
}

unary! {
    Gelu: gelu;
    GeluTanh: gelu_tanh;
    Relu: relu;
    Tanh: tanh;
}

/// Applies `activation` to `rows` rows of `columns` values, just written and so still in the first cache.
/// Apart from `block`, so that its code is not repeated for every number of rows.
#[inline(always)]
pub(crate) unsafe fn activate<V: Vector>(
    activation: Activation,
    out: *mut f32,
    stride: usize,
    rows: usize,
    columns: usize,
) {
    unsafe {
        match activation {
            Activation::None => {}
            Activation::Gelu => each::<V, Gelu>(out, stride, rows, columns),
            Activation::GeluTanh => each::<V, GeluTanh>(out, stride, rows, columns),
            Activation::Relu => each::<V, Relu>(out, stride, rows, columns),
            Activation::Tanh => each::<V, Tanh>(out, stride, rows, columns),
        }
    }
}

#[inline(always)]
unsafe fn each<V: Vector, F: Unary>(out: *mut f32, stride: usize, rows: usize, columns: usize) {
    unsafe {
        let whole = columns / V::LANES * V::LANES;
        for row in 0..rows {
            let out = out.add(row * stride);
            for c in (0..whole).step_by(V::LANES) {
                F::of(V::load(out.add(c))).store(out.add(c));
            }
            if whole < columns {
                let mut edge = [0.0f32; 16];
                std::ptr::copy_nonoverlapping(out.add(whole), edge.as_mut_ptr(), columns - whole);
                F::of(V::load(edge.as_ptr())).store(edge.as_mut_ptr());
                std::ptr::copy_nonoverlapping(edge.as_ptr(), out.add(whole), columns - whole);
            }
        }
    }
}
