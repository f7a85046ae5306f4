import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.ar.ArabicAnalyzer;
import org.apache.lucene.analysis.cjk.CJKAnalyzer;
import org.apache.lucene.analysis.cz.CzechAnalyzer;
import org.apache.lucene.analysis.da.DanishAnalyzer;
import org.apache.lucene.analysis.de.GermanAnalyzer;
import org.apache.lucene.analysis.el.GreekAnalyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.es.SpanishAnalyzer;
import org.apache.lucene.analysis.fa.PersianAnalyzer;
import org.apache.lucene.analysis.fi.FinnishAnalyzer;
import org.apache.lucene.analysis.fr.FrenchAnalyzer;
import org.apache.lucene.analysis.hi.HindiAnalyzer;
import org.apache.lucene.analysis.hu.HungarianAnalyzer;
import org.apache.lucene.analysis.id.IndonesianAnalyzer;
import org.apache.lucene.analysis.it.ItalianAnalyzer;
import org.apache.lucene.analysis.miscellaneous.ASCIIFoldingFilter;
import org.apache.lucene.analysis.nl.DutchAnalyzer;
import org.apache.lucene.analysis.no.NorwegianAnalyzer;
import org.apache.lucene.analysis.pt.PortugueseAnalyzer;
import org.apache.lucene.analysis.ro.RomanianAnalyzer;
import org.apache.lucene.analysis.ru.RussianAnalyzer;
import org.apache.lucene.analysis.sv.SwedishAnalyzer;
import org.apache.lucene.analysis.tr.TurkishAnalyzer;
import org.elasticsearch.index.analysis.AnalyzerProvider;
import org.elasticsearch.index.analysis.AnalyzerScope;
import org.elasticsearch.index.analysis.PreBuiltAnalyzerProvider;
import org.elasticsearch.index.analysis.PreConfiguredTokenFilter;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;

/**
 * Gives Lucene's language analyzers the names that they have in a packaged Elasticsearch.
 *
 * There they come with a module that is not published as a jar; the classes themselves are Lucene's and are.
 */
public final class LanguageAnalyzers extends Plugin implements AnalysisPlugin {
    private static Map<String, Supplier<Analyzer>> makers() {
        Map<String, Supplier<Analyzer>> makers = new HashMap<>();
        makers.put("arabic", ArabicAnalyzer::new);
        makers.put("cjk", CJKAnalyzer::new);
        makers.put("czech", CzechAnalyzer::new);
        makers.put("danish", DanishAnalyzer::new);
        makers.put("dutch", DutchAnalyzer::new);
        makers.put("english", EnglishAnalyzer::new);
        makers.put("finnish", FinnishAnalyzer::new);
        makers.put("french", FrenchAnalyzer::new);
        makers.put("german", GermanAnalyzer::new);
        makers.put("greek", GreekAnalyzer::new);
        makers.put("hindi", HindiAnalyzer::new);
        makers.put("hungarian", HungarianAnalyzer::new);
        makers.put("indonesian", IndonesianAnalyzer::new);
        makers.put("italian", ItalianAnalyzer::new);
        makers.put("norwegian", NorwegianAnalyzer::new);
        makers.put("persian", PersianAnalyzer::new);
        makers.put("portuguese", PortugueseAnalyzer::new);
        makers.put("romanian", RomanianAnalyzer::new);
        makers.put("russian", RussianAnalyzer::new);
        makers.put("spanish", SpanishAnalyzer::new);
        makers.put("swedish", SwedishAnalyzer::new);
        makers.put("turkish", TurkishAnalyzer::new);
        return makers;
    }

    @Override
    public Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> getAnalyzers() {
        Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> providers = new HashMap<>();
        for (var maker : makers().entrySet()) {
            var language = maker.getKey();
            var analyzer = maker.getValue();
            providers.put(language, (index, environment, name, settings) ->
                new PreBuiltAnalyzerProvider(name, AnalyzerScope.INDEX, analyzer.get()));
        }
        return providers;
    }

    @Override
    public List<PreConfiguredTokenFilter> getPreConfiguredTokenFilters() {
        return List.of(PreConfiguredTokenFilter.singleton("asciifolding", true, ASCIIFoldingFilter::new));
    }
}
