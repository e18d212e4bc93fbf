if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

" Ollama reads # as a comment at the beginning of a line alone.
setlocal comments=:# commentstring=#\ %s
" A line break would end a value that stands in no quotes.
setlocal formatoptions-=t formatoptions+=croql

let b:undo_ftplugin = 'setlocal comments< commentstring< formatoptions<'
